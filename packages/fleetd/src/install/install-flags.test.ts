import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFlags } from '../flags.js';
import { isNodeNewEnough } from './find-node.js';

const plain = { isUser: false, isUninstall: false, isPurging: false, isStarting: true, isDryRun: false };

for (const [text, request] of [
  ['install', plain],
  ['install --no-start', { ...plain, isStarting: false }],
  ['install --user', { ...plain, isUser: true }],
  ['install -dry-run', { ...plain, isDryRun: true }],
  ['install --uninstall --purge', { ...plain, isUninstall: true, isPurging: true }],
] as const) {
  test(`fleetd ${text}`, async () => {
    assert.deepEqual(await parseFlags(text.split(' ')), { kind: 'install', request });
  });
}

for (const [text, message] of [
  ['install --purge', /--purge goes with --uninstall/],
  ['install --no-strat', /: no-strat\n/],
  ['install now', /install takes no arguments: now/],
  ['install --agent-ttl=5s', /agent-ttl.*Try fleetd install --help/s],
] as const) {
  test(`fleetd ${text} is a mistake`, async () => {
    const command = await parseFlags(text.split(' '));
    assert.equal(command.kind, 'usage');
    assert.match(command.kind === 'usage' ? command.text : '', message);
  });
}

for (const text of ['install --help', 'install -h', 'help install']) {
  test(`fleetd ${text} explains each flag`, async () => {
    const command = await parseFlags(text.split(' '));
    assert.equal(command.kind, 'help');
    for (const flag of ['--user', '--no-start', '--uninstall', '--purge', '--dry-run'])
      assert.ok(command.kind === 'help' && command.text.includes(flag));
  });
}

test('Node 20 is the oldest that will do', () => {
  assert.deepEqual(['v20.0.0\n', 'v24.1.2', 'v18.19.0', 'v2.0.0', ''].map(isNodeNewEnough), [
    true,
    true,
    false,
    false,
    false,
  ]);
});
