import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { fleetctl, isLong, labObstacle, mustFleetctl, type TestHost, waitUntil } from '../lab/index.js';
import { Cluster, sleeper } from './cluster.js';
import { order, see, shell, untilActive, untilGone, untilSeen } from './on-host.js';
import { assertUntouched, recordRuns, runsOf } from './unit-runs.js';

const slowStopSeconds = isLong ? 60 : 10;

const [main, side, other] = ['test-main.service', 'test-side.service', 'test-other.service'];
const bound = (to: string) => `[Unit]\nBindsTo=${to}\nAfter=${to}\n${sleeper}`;

/** Take a minute until they run, or for ever. */
const slowStarts: Readonly<Record<string, string>> = {
  'test-oneshot.service': '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sleep 60\n',
  'test-notify.service': '[Service]\nType=notify\nExecStart=/bin/sleep infinity\n',
  'test-pre.service': '[Service]\nExecStartPre=/bin/sleep 60\nExecStart=/bin/sleep infinity\n',
  // Waits for its next chance.
  'test-again.service': '[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=60\n',
};

describe('units that meet in a race', { skip: labObstacle() }, () => {
  let cluster: Cluster;
  let host: TestHost;

  before(async () => {
    cluster = await Cluster.start('races', { hosts: 1 });
    host = cluster.anyHost;
  });

  after(() => cluster.close());
  afterEach(() => cluster.reset());

  const must = (...args: readonly string[]) => mustFleetctl(host, args);

  /** Links of ours that systemd still has. */
  const linksLeft = async () => (await shell(host, "find /run/systemd/system -name '*test-*'")).trim();

  it('sidekicks run with the main units that they bind to, whichever comes first, and go in any order', async () => {
    const pair = (main: string) => ({
      [`${main}.service`]: sleeper,
      [`${main}-side.service`]: bound(`${main}.service`),
    });
    const [early, late] = [pair('test-early'), pair('test-late')];
    const [earlyMain = '', earlySide = ''] = Object.keys(early);
    const [lateMain = '', lateSide = ''] = Object.keys(late);
    await order(cluster, ['start', '--no-block'], { [earlyMain]: sleeper, [lateSide]: late[lateSide] ?? '' });
    const before = await untilActive(host, earlyMain);
    await waitUntil({
      what: `${lateSide} was tried`,
      read: async () => (await fleetctl(host, ['status', lateSide])).stdout,
      until: (status) => status.includes(`Unit ${lateMain} not found`),
    });
    await order(cluster, ['start', '--no-block'], { [earlySide]: early[earlySide] ?? '', [lateMain]: sleeper });
    const all = [earlyMain, earlySide, lateMain, lateSide];
    for (const name of all) await untilActive(host, name);
    assert.deepEqual(await see(host, earlyMain), before, 'the main unit was not started anew');
    await must('destroy', earlyMain, lateSide);
    await must('destroy', earlySide, lateMain);
    for (const name of all) await untilGone(host, name);
    assert.equal(await linksLeft(), '');
  });

  it('a sidekick stops with its main unit, is reported, and is started when asked', async () => {
    await cluster.start({ [main]: sleeper, [side]: bound(main) });
    await must('stop', main);
    await untilSeen(host, side, ({ state }) => state === 'inactive/dead');
    await must('start', main, side);
    const before = await recordRuns([host]);
    await shell(host, `systemctl kill --signal=KILL ${main}`);
    await untilSeen(host, main, ({ state }) => state === 'failed/failed');
    await waitUntil({
      what: 'list-units says so of both',
      read: async () => (await cluster.rows('test-')).map(({ unit, active }) => `${unit} ${active}`).join(),
      until: (rows) => rows === `${main} failed,${side} inactive`,
    });
    await must('start', main, side);
    assert.notDeepEqual(await recordRuns([host]), before);
    await order(cluster, ['start', '--replace'], { [main]: '[Service]\nExecStart=/bin/sleep 1000000\n' });
    await untilActive(host, main);
  });

  it('what systemd started as a dependency is adopted, not started anew', async () => {
    await order(cluster, ['load'], { [side]: sleeper });
    await cluster.start({ [main]: `[Unit]\nRequires=${side}\nAfter=${side}\n${sleeper}` });
    const before = await recordRuns([host]);
    assert.equal(before.get(`${host.name} ${side}`)?.active, 'active');
    await must('start', side);
    await assertUntouched(before, [host]);
    await must('stop', side);
    await untilSeen(host, side, ({ state }) => state === 'inactive/dead');
  });

  it('[Install] sections take effect when their unit comes, and leave nothing behind', async () => {
    const install = `[Install]\nWantedBy=${main} multi-user.target\nAlias=test-alias.service\nAlso=${other}\n`;
    await order(cluster, ['load'], { [side]: sleeper + install });
    await order(cluster, ['load'], { [other]: sleeper, [main]: sleeper });
    assert.match(await linksLeft(), /test-alias/);
    assert.equal((await see(host, side)).state, 'inactive/dead');
    await must('start', main);
    await untilActive(host, side);
    await must('stop', main);
    assert.equal((await see(host, side)).state, 'active/running');
    await must('destroy', main, side, other);
    for (const name of [main, side, other, 'test-alias.service']) await untilGone(host, name);
    assert.equal(await linksLeft(), '');
  });

  it('units are replaced, stopped and destroyed while they start', async () => {
    const names = Object.keys(slowStarts);
    const areStarting = () =>
      Promise.all(names.map((name) => untilSeen(host, name, ({ state }) => state.startsWith('activating/'))));
    await order(cluster, ['start', '--no-block'], slowStarts);
    await areStarting();
    const replaced = names.map((name) => [name, '[Service]\nExecStart=/bin/sleep 1000000\n']);
    await order(cluster, ['start', '--replace'], Object.fromEntries(replaced));
    for (const name of names) await untilActive(host, name);
    await order(cluster, ['start', '--replace', '--no-block'], slowStarts);
    await areStarting();
    await must('stop', ...names);
    for (const name of names) assert.match((await see(host, name)).state, /^(inactive|failed)\//);
    await must('start', '--no-block', ...names);
    await areStarting();
    await must('destroy', ...names);
    for (const name of names) await untilGone(host, name);
  });

  it('a slow ExecStop= blocks no other unit and not the daemon; the name can be had again meanwhile', async () => {
    const slow = `[Service]\nExecStart=/bin/sleep infinity\nExecStop=/bin/sleep ${slowStopSeconds}\nTimeoutStopSec=90\n`;
    await cluster.start({ [main]: slow, [side]: slow });
    await must('destroy', '--no-block', main, side);
    await cluster.start({ [other]: sleeper });
    const rows = async () => (await cluster.rows('test-')).map(({ unit, active }) => `${unit} ${active}`).join();
    const stopping = `${main} deactivating,${other} active,${side} deactivating`;
    assert.equal(await rows(), stopping);
    await shell(host, 'systemctl restart fleet.service');
    await order(cluster, ['start', '--no-block'], { [main]: '[Service]\nExecStart=/bin/sleep 1000000\n' });
    assert.equal((await see(host, main)).state, 'deactivating/stop');
    await untilGone(host, side);
    await untilActive(host, main);
    assert.match(await shell(host, `systemctl show -p ExecStart ${main}`), /sleep 1000000/);
  });

  it('a stop that takes too long is ended by systemd, and the unit leaves', async () => {
    const stubborn = "[Service]\nExecStart=/bin/sh -c 'trap : TERM; while :; do sleep 1; done'\nTimeoutStopSec=1\n";
    await cluster.start({ [main]: stubborn });
    await must('stop', main);
    assert.equal((await see(host, main)).state, 'failed/failed');
    await must('start', main);
    await must('destroy', main);
    await untilGone(host, main);
  });

  it('what refuses to be stopped says why, and leaves when it no longer does', async () => {
    await cluster.start({ [main]: `[Unit]\nRefuseManualStop=yes\n${sleeper}` });
    const { code, stderr } = await fleetctl(host, ['destroy', '--wait=2s', main]);
    assert.equal(code, 2);
    assert.match(stderr, /still active \(running\) on .*: Operation refused/);
    await shell(
      host,
      `mkdir -p /run/systemd/system/${main}.d
      printf '[Unit]\nRefuseManualStop=no\n' > /run/systemd/system/${main}.d/let.conf
      systemctl daemon-reload`,
    );
    await untilGone(host, main);
    await shell(host, `rm -r /run/systemd/system/${main}.d; systemctl daemon-reload`);
  });

  it('a timer starts its service, a socket too, and each is stopped by itself', async () => {
    const once = '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n';
    await order(cluster, ['load'], { 'test-clock.service': once, 'test-door.service': sleeper });
    await cluster.start({
      'test-clock.timer': '[Timer]\nOnActiveSec=100ms\nAccuracySec=1ms\n',
      'test-door.socket': '[Socket]\nListenStream=/run/test-door\n',
      'test-all.target': '[Unit]\nDescription=all\n',
      'test-esc\\x2daped.service': sleeper,
    });
    await untilSeen(host, 'test-clock.service', ({ state }) => state === 'active/exited');
    await shell(host, "node -e \"require('net').connect('/run/test-door').on('connect', () => process.exit())\"");
    await untilActive(host, 'test-door.service');
    const before = runsOf(await recordRuns([host]), ['test-door.service', 'test-clock.service']);
    await must('stop', 'test-door.socket', 'test-clock.timer');
    await assertUntouched(before, [host]);
    await must('destroy', 'test-door.socket', 'test-door.service', 'test-esc\\x2daped.service');
    for (const name of ['test-door.socket', 'test-door.service', 'test-esc\\x2daped.service'])
      await untilGone(host, name);
  });
});
