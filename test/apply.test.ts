import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createClient } from '@flotilla/client';
import { parseMachineId } from '@flotilla/cluster';
import { changeClaims, joinDirectory, type Store } from '@flotilla/registry';
import { silentLogger } from '@flotilla/runtime';
import { hashUnitFile, parseOwnerName, parseUnitFile, parseUnitName } from '@flotilla/unit';
import { fleetctl as runFleetctl, serveFromMemory } from './memory-fleetd.js';

/** A folder of unit files, and a fleetd over a store in memory that fleetctl talks to. */
async function openBench(context: TestContext) {
  const { socket, store } = await serveFromMemory(context);
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-apply-'));
  const client = createClient({ endpoint: `unix://${socket}` });
  const units = join(folder, 'units');
  await mkdir(units);
  context.after(async () => {
    client.close();
    await rm(folder, { recursive: true });
  });
  const environment = { FLEETCTL_ENDPOINT: `unix://${socket}` };
  return {
    store,
    client,
    units,
    write: (name: string, text: string) => writeFile(join(units, name), text),
    remove: (name: string) => rm(join(units, name)),
    fleetctl: (...words: readonly string[]) => runFleetctl(words, environment),
    /** What a command writes to the store, in revisions, and its requests. */
    async costs(...words: readonly string[]) {
      const before = store.revision;
      const { stdout, stderr, exitCode } = await runFleetctl(['--debug', ...words], environment);
      const requests = stderr.split('\n').filter((line) => / \/fleet\//.test(line));
      return { stdout, stderr, exitCode, revisions: store.revision - before, requests };
    },
  };
}

const service = (command: string) => `[Service]\nExecStart=/bin/${command}\n`;
const count = 1000;

/** Two pages of the list; for an owner also whether the server knows owners, and two batches; with --prune what it has. */
const quiet = [
  [{ flags: [], requests: 2 }],
  [
    { flags: ['--owner=shop'], requests: 5 },
    { flags: ['--owner=shop', '--prune'], requests: 6 },
  ],
];
for (const ways of quiet) {
  const [{ flags: firstFlags } = { flags: [] }] = ways;
  test(`apply ${firstFlags.join()} of 1,000 unchanged files writes nothing, and asks little`, async (context) => {
    const { costs, fleetctl, write, units } = await openBench(context);
    const indexes = Array.from({ length: count }, (_, index) => index);
    await Promise.all(indexes.map((index) => write(`web-${index}.service`, service(`w${index}`))));
    const first = await fleetctl('apply', '--no-block', ...firstFlags, units);
    assert.equal(first.stderr, '');
    assert.match(first.stdout, /\n1000 created\n$/);
    for (const { flags, requests } of ways) {
      const again = await costs('apply', ...flags, units);
      assert.deepEqual([again.stdout, again.exitCode, again.revisions], ['1000 unchanged\n', 0, 0]);
      assert.equal(again.requests.length, requests, again.requests.join('\n'));
    }
    await write('web-7.service', service('other'));
    const third = await costs('apply', '--no-block', ...firstFlags, units);
    assert.match(third.stdout, /^Triggered unit web-7\.service apply\n1 changed, 999 unchanged\n$/);
    assert.ok(third.revisions > 0 && third.revisions < 5, `${third.revisions} transactions`);
  });
}

test('what is applied for an owner is safe from others, and goes when its file has gone', async (context) => {
  const { client, fleetctl, remove, units, write } = await openBench(context);
  const apply = (...words: readonly string[]) => fleetctl('apply', '--no-block', '--owner=shop', ...words, units);
  await write('a.service', service('a'));
  await write('b.service', service('b'));
  await write('t@.service', service('t'));
  assert.match((await apply()).stdout, /\n3 created\n$/);
  assert.deepEqual(
    (await client.listUnits()).map(({ name, owner, desiredState }) => [name, owner, desiredState]),
    [
      ['a.service', 'shop', 'launched'],
      ['b.service', 'shop', 'launched'],
      ['t@.service', 'shop', 'inactive'],
    ],
  );
  const refused = await fleetctl('destroy', '--no-block', 'a');
  assert.match(refused.stderr, /owned by the directory "shop"/);
  assert.equal(refused.exitCode, 1);
  await fleetctl('stop', '--no-block', 'a', 'b');
  await write('a.service', `# why\n${service('a')}`);
  const changed = await apply();
  assert.match(changed.stdout, /1 changed, 2 unchanged\n$/);
  const states = async () => (await client.listUnits()).map(({ name, desiredState }) => `${name} ${desiredState}`);
  assert.deepEqual(await states(), ['a.service launched', 'b.service loaded', 't@.service inactive']);
  await remove('b.service');
  assert.equal((await fleetctl('diff', '--owner=shop', units)).exitCode, 0);
  const pruned = await apply('--prune');
  assert.deepEqual([pruned.stdout, pruned.stderr], ['Destroyed b.service\n2 unchanged, 1 destroyed\n', '']);
  assert.deepEqual(await states(), ['a.service launched', 't@.service inactive']);
});

test('a unit passes to an owner and back by adopt, as the refusal says', async (context) => {
  const { client, fleetctl, units, write } = await openBench(context);
  await write('a.service', service('a'));
  assert.equal((await fleetctl('apply', '--no-block', units)).exitCode, 0);
  const refused = await fleetctl('apply', '--no-block', '--owner=shop', units);
  assert.equal(refused.exitCode, 1);
  const [, line = ''] = /To take it over: fleetctl (.*)\n/.exec(refused.stderr) ?? [];
  assert.equal((await fleetctl(...line.split(' '))).exitCode, 0);
  assert.equal((await fleetctl('apply', '--no-block', '--owner=shop', units)).exitCode, 0);
  assert.equal((await client.findUnit('a.service'))?.owner, 'shop');
  await write('a.service', service('other'));
  const others = await fleetctl('apply', '--no-block', units);
  assert.match(others.stderr, /If you are who applies for shop: --owner shop\n/);
  const [, back = ''] = /To take it over: fleetctl (.*)\n/.exec(others.stderr) ?? [];
  assert.equal((await fleetctl(...back.split(' '))).exitCode, 0);
  assert.match((await fleetctl('apply', '--no-block', units)).stdout, /1 changed\n$/);
  assert.equal((await client.findUnit('a.service'))?.owner, undefined);
});

test('--prune leaves alone what a host has in its directory of that name', async (context) => {
  const { client, fleetctl, remove, store, units, write } = await openBench(context);
  await write('a.service', service('a'));
  await write('b.service', service('b'));
  await fleetctl('apply', '--no-block', '--owner=shop', units);
  await claimForHost(store, 'b.service', service('b'));
  await remove('b.service');
  const shown = await fleetctl('diff', '--owner=shop', '--prune', units);
  assert.match(shown.stdout, /^keep b\.service: it is in the directory of that name on b1d7b1d7\.\.\.\n/);
  const kept = await fleetctl('apply', '--owner=shop', '--prune', units);
  assert.match(kept.stdout, /^Kept b\.service: .*\n1 unchanged, 1 kept\n$/);
  assert.equal((await client.findUnit('b.service'))?.owner, 'shop');
  assert.equal((await fleetctl('diff', '--owner=shop', '--prune', units)).exitCode, 0);
});

/** What a host with a directory of that name writes when it sees the file. */
async function claimForHost(store: Store, text: string, file: string): Promise<void> {
  const [access, name] = [{ store, log: silentLogger }, parseUnitName(text)];
  const side = { owner: parseOwnerName('shop'), claimant: parseMachineId('b1d7'.repeat(8)) };
  const [isThere, nothing] = [true, { problems: [], problemCount: 0, conflicts: [], conflictCount: 0 }];
  await joinDirectory(access, side, { path: '/etc/fleet/units', pass: 1, units: 1, isThere, ...nothing });
  const content = {
    file: Buffer.from(file),
    hash: hashUnitFile(parseUnitFile(file, name)),
    isGlobal: false,
    isVerbatim: true,
  };
  const hold = { kind: 'hold', content, desiredState: 'launched', source: name } as const;
  const results = await changeClaims(access, side, new Map([[name, hold]]));
  assert.deepEqual(results.get(name), { kind: 'settled', outcome: 'unchanged' });
}
