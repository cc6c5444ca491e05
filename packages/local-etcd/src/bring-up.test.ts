import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it, test } from 'node:test';
import { silentLogger, TestClock } from '@flotilla/runtime';
import type { RunCommand } from '@flotilla/systemd';
import { bringUp, findLastWords } from './bring-up.js';
import { LocalEtcdFailed } from './errors.js';
import { LocalEtcd } from './local-etcd.js';
import { localEtcdPlaces } from './places.js';

/** systemd, as far as it is asked: the answers of `show`, one after the other, the last for good. */
function createSystemd(...states: readonly string[]) {
  const calls: string[] = [];
  const left = [...states];
  const run: RunCommand = async (program, args) => {
    calls.push([program, ...args].join(' '));
    const isShow = args.includes('show');
    const stdout = isShow
      ? ((left.length > 1 ? left.shift() : left[0]) ?? '')
      : '{"level":"fatal","msg":"no","error":"room"}\n';
    return { exitCode: 0, stdout, stderr: '' };
  };
  return { calls, run };
}

const states = {
  off: 'ActiveState=inactive\nResult=success\n',
  running: 'ActiveState=active\nResult=success\n',
  failing: 'ActiveState=activating\nResult=exit-code\n',
};

describe('bringing up the own etcd', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'local-etcd-'));
  });

  afterEach(() => rm(directory, { recursive: true }));

  const attempt = (run: RunCommand, user = false) => {
    const places = localEtcdPlaces(join(directory, 'state'), join(directory, 'units'));
    const { signal } = new AbortController();
    return bringUp({ places, program: '/usr/bin/etcd', user, clock: new TestClock(), run, signal });
  };

  it('writes the unit and starts it; once it runs, it is left alone', async () => {
    const { calls, run } = createSystemd(states.off, states.running);
    await attempt(run);
    const verbs = calls.map((call) => call.split(' ')[1]);
    assert.deepEqual(verbs, ['daemon-reload', 'show', 'start', 'show']);
    assert.match(
      await readFile(join(directory, 'units/fleet-etcd.service'), 'utf8'),
      /^ExecStart="\/usr\/bin\/etcd" /m,
    );
    await attempt(run);
    assert.equal(calls.length, 5);
  });

  it('replaces a unit of another version without a restart', async () => {
    await mkdir(join(directory, 'units'));
    await writeFile(join(directory, 'units/fleet-etcd.service'), '# older\n');
    const { calls, run } = createSystemd(states.running);
    await attempt(run);
    assert.deepEqual(
      calls.map((call) => call.split(' ')[1]),
      ['daemon-reload', 'show'],
    );
    assert.match(await readFile(join(directory, 'units/fleet-etcd.service'), 'utf8'), /ExecStart=/);
  });

  it("speaks to a user's own systemd", async () => {
    const { calls, run } = createSystemd(states.off, states.failing);
    await assert.rejects(attempt(run, true), LocalEtcdFailed);
    for (const call of calls) assert.match(call, /^systemctl --user |^journalctl --user-unit=/);
  });

  it('lets nobody else into its directory', async () => {
    const own = join(directory, 'state/etcd');
    await mkdir(own, { recursive: true });
    await chmod(own, 0o755);
    await attempt(createSystemd(states.running).run);
    assert.equal((await stat(own)).mode & 0o777, 0o700);
    await rm(own, { recursive: true });
    await mkdir(join(directory, 'elsewhere'));
    await symlink(join(directory, 'elsewhere'), own);
    await assert.rejects(attempt(createSystemd(states.running).run), /not a directory of fleetd's own/);
  });

  it('says what etcd said last when it does not start, and tries until it does', async () => {
    const { calls, run } = createSystemd(states.off, states.failing, states.failing, states.failing, states.running);
    const clock = new TestClock();
    const errors: unknown[] = [];
    const log = { ...silentLogger, error: (_: string, fields?: object) => void errors.push(fields) };
    await mkdir(join(directory, 'state/etcd'), { recursive: true });
    await writeFile(join(directory, 'state/etcd/in-use'), '');
    await mkdir(join(directory, 'bin'));
    await writeFile(join(directory, 'bin/etcd'), '', { mode: 0o755 });
    const etcd = new LocalEtcd({
      isTold: false,
      mode: 'auto',
      defaultServers: [],
      stateDirectory: join(directory, 'state'),
      unitDirectory: join(directory, 'units'),
      searchPath: [join(directory, 'bin')],
      user: false,
      clock,
      log,
      run,
    });
    assert.equal(await etcd.open(), `unix:${directory}/state/etcd/client:1`);
    assert.deepEqual(errors, [
      { problem: 'fleet-etcd.service does not start: no: room', hint: 'journalctl --unit fleet-etcd.service' },
    ]);
    const starts = () => calls.filter((call) => call.includes('start --no-block')).length;
    const tries = async (ms: number) => {
      await clock.advance(ms);
      await new Promise((resolve) => setImmediate(resolve));
    };
    assert.equal(starts(), 1);
    for (let tried = 0; starts() < 2 && tried < 200; tried++) await tries(100);
    assert.equal(starts(), 2);
    await etcd.close();
    assert.equal(errors.length, 1);
  });
});

test('the last words of etcd are its complaints, without their dress', () => {
  const journal = [
    '{"level":"info","ts":"x","msg":"starting"}',
    '{"level":"warn","msg":"slow disk"}',
    'fleet-etcd.service: Main process exited',
    '{"level":"fatal","msg":"discovery failed","error":"listen unix client:1: bind: address in use"}',
    'panic: freepages: failed to get all reachable pages',
    'goroutine 1 [running]:',
  ].join('\n');
  const bind = 'discovery failed: listen unix client:1: bind: address in use';
  assert.equal(findLastWords(journal), `slow disk; ${bind}; panic: freepages: failed to get all reachable pages`);
  assert.equal(findLastWords(''), '');
});
