import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { askSystemd, type CheckerOptions, type SystemdAnswer } from './systemd-checker.js';
import { parseComplaints } from './systemd-complaints.js';

const units = [{ name: 'web.service', text: '[Service]\n' }];

describe('asking a checker that is a shell script', () => {
  const ask = async (context: TestContext, script: string, options: Partial<CheckerOptions> = {}) => {
    const folder = await mkdtemp(join(tmpdir(), 'flotilla-checker-'));
    context.after(() => rm(folder, { recursive: true }));
    const program = join(folder, 'checker');
    await writeFile(program, `#!/bin/sh\n${script}\n`);
    await chmod(program, 0o755);
    return askSystemd(units, { isUser: false, program, ...options });
  };
  const complaintsOf = (answer: SystemdAnswer) => (answer.kind === 'answered' ? [...answer.complaints] : answer);

  test('it gets copies of the files, and leaves none behind', async (context) => {
    const answer = await ask(
      context,
      'for last; do :; done; echo "web.service: $1 $2 $(cat "$last") $last" >&2; exit 1',
    );
    const [, path = ''] =
      /"verify --man=no \[Service\] (\/\S+\/web\.service)"/.exec(JSON.stringify(complaintsOf(answer))) ?? [];
    assert.notEqual(path, '', JSON.stringify(complaintsOf(answer)));
    await assert.rejects(stat(dirname(path)), { code: 'ENOENT' });
  });

  test('units for the user manager are shown to that', async (context) => {
    const answer = await ask(context, 'echo "web.service: $1 $2" >&2', { isUser: true });
    assert.deepEqual(complaintsOf(answer), [
      ['web.service', [{ isRefusal: false, line: undefined, text: '--user verify' }]],
    ]);
  });

  test('one that hangs is ended', async (context) => {
    const answer = await ask(context, 'exec sleep 100', { timeoutMs: 300 });
    assert.equal(answer.kind, 'unanswered');
    assert.match(answer.kind === 'unanswered' ? answer.why : '', /checker did not end within 0\.3 s$/);
  });

  test('one that fails is told of, unless it only has something to say of other units', async (context) => {
    const failed = await ask(context, 'echo "Failed to initialize manager: no" >&2; exit 1');
    assert.deepEqual(failed, { kind: 'unanswered', why: 'it failed: Failed to initialize manager: no' });
    for (const line of ['/lib/systemd/system/host.service:3: Unknown key', 'host.service: Found ordering cycle'])
      assert.deepEqual(complaintsOf(await ask(context, `echo "${line}" >&2; exit 1`)), []);
  });

  test('one that is not there is told of', async () => {
    const answer = await askSystemd(units, { isUser: false, program: '/nowhere/systemd-analyze' });
    assert.deepEqual(answer, { kind: 'unanswered', why: '/nowhere/systemd-analyze is not installed here' });
  });
});

test('complaints go to the units that they are about', () => {
  const output = [
    "/tmp/x/web.service:3: Unknown key 'Frob' in section [Unit], ignoring.",
    '/tmp/x/t@.service:4: Missing "=", ignoring line.',
    '/lib/systemd/system/host.service:7: Support for option SysVStartPriority= has been removed',
    'web.service: Failed to create web.service/start: Unit host.service has a bad unit file setting.',
    't@i.service: Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.',
    'Unit t@i.service has a bad unit file setting.',
    'Unit old.service has a bad unit file setting.',
    'host.service: Service has no ExecStart=. Refusing.',
    '',
  ].join('\n');
  const names = new Set(['web.service', 't@.service', 'old.service']);
  const complaint = (text: string, line?: number, isRefusal = false) => ({ isRefusal, line, text });
  assert.deepEqual(
    parseComplaints(output, { folder: '/tmp/x', names }),
    new Map([
      [
        'web.service',
        [
          complaint("Unknown key 'Frob' in section [Unit], ignoring.", 3),
          complaint('Failed to create web.service/start: Unit host.service has a bad unit file setting.'),
        ],
      ],
      [
        't@.service',
        [
          complaint('Missing "=", ignoring line.', 4),
          complaint('Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.', undefined, true),
        ],
      ],
      ['old.service', [complaint('Unit old.service has a bad unit file setting.', undefined, true)]],
    ]),
  );
});
