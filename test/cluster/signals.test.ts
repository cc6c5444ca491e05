import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { sleep, systemClock } from '@flotilla/runtime';
import { labObstacle, mustFleetctl, type TestHost, waitUntil } from '../lab/index.js';
import { Cluster, mainPids, sleeper } from './cluster.js';

/** What fleetd says of its way to learn of changes. */
const hasSignals = 'changes of units are learned by D-Bus signals';
const hasNone = 'D-Bus can not be reached; changes of units are looked for by systemctl';

/** Twice as long as the pause between two looks where there are no signals. */
const quietMs = 4_000;

/** Stands in for systemctl where fleetd looks for it, and takes notes. */
const notedSystemctl = '#!/bin/sh\necho "$@" >>/srv/programs\nexec /usr/bin/systemctl "$@"\n';

/** Notes each call of systemd over D-Bus, as JSON. */
const monitor = `[Service]
ExecStart=busctl monitor --json=short --match="type='method_call',destination='org.freedesktop.systemd1'"
StandardOutput=append:/srv/calls
Restart=always
RestartSec=1
`;

/** Units that are to live through everything. */
const steady = ['test-1.service', 'test-2.service'];

describe('a fleetd and the D-Bus of its host', { skip: labObstacle() }, () => {
  let cluster: Cluster;
  let host: TestHost;

  before(async () => {
    cluster = await Cluster.start('signals', { hosts: 1 });
    host = cluster.anyHost;
    await host.writeFile('/opt/noted/systemctl', notedSystemctl);
    await host.mustExec(['chmod', '755', '/opt/noted/systemctl']);
    await host.mustExec(['touch', '/srv/programs', '/srv/calls']);
    const path = 'PATH=/opt/noted:/opt/node:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin';
    await host.writeFile('/etc/systemd/system/fleet.service.d/noted.conf', `[Service]\nEnvironment=${path}\n`);
    await host.writeFile('/etc/systemd/system/monitor.service', monitor);
    await host.mustExec(['systemctl', 'daemon-reload']);
    await host.mustExec(['systemctl', 'start', 'monitor.service']);
    await host.mustExec(['systemctl', 'restart', 'fleet.service']);
    await cluster.startUnits([...steady, 'test-3.service'], sleeper);
  });

  after(() => cluster.close());

  const linesOf = async (path: string) => (await host.readFile(path)).split('\n').filter((line) => line !== '');

  /** What was asked of systemd, by programs that fleetd ran and over D-Bus by anybody. */
  const asked = async () => [...(await linesOf('/srv/programs')), ...(await linesOf('/srv/calls'))];

  const said = async (line: string) => (await host.journal('fleet.service')).split(line).length - 1;

  const untilSaid = (line: string, times: number) =>
    waitUntil({
      what: `fleetd has said ${times} times: ${line}`,
      read: () => said(line),
      until: (count) => count === times,
      onTimeout: () => host.journal(),
    });

  const untilState = (unit: string, active: string) =>
    waitUntil({
      what: `${unit} is ${active} by list-units`,
      read: async () => (await cluster.rows(unit))[0]?.active,
      until: (seen) => seen === active,
      onTimeout: () => cluster.details(),
    });

  const crash = async (unit: string) => {
    await host.mustExec(['systemctl', 'kill', '--signal=SIGKILL', unit]);
    await untilState(unit, 'failed');
  };

  /** Runs `disturb` and checks that fleetd notices, that no unit does, and that a crash shows again. */
  const survives = async (disturb: () => Promise<unknown>) => {
    const [signals, none] = [await said(hasSignals), await said(hasNone)];
    await cluster.startUnits(['test-4.service'], sleeper);
    const pids = await mainPids(host, steady);
    await disturb();
    await untilSaid(hasNone, none + 1);
    await untilSaid(hasSignals, signals + 1);
    await crash('test-4.service');
    assert.deepEqual(await mainPids(host, steady), pids);
    await mustFleetctl(host, ['destroy', 'test-4.service']);
  };

  it('asks nothing of systemd while nothing happens', async () => {
    const before = await waitUntil({
      what: 'the answers to what was started are all in',
      read: async () => {
        const seen = await asked();
        await sleep(systemClock, quietMs);
        return { seen, since: (await asked()).slice(seen.length) };
      },
      until: ({ since }) => since.length === 0,
      onTimeout: () => host.journal(),
    });
    await mustFleetctl(host, ['destroy', 'test-3.service']);
    // Whatever is asked is noticed, by programs and over D-Bus.
    const since = (await asked()).filter((line) => !before.seen.includes(line));
    for (const what of ['disable --runtime --no-reload -- test-3.service', 'StopUnit', 'ListUnitsByNames'])
      assert.ok(
        since.some((line) => line.includes(what)),
        `${what} is not in\n${since.join('\n')}`,
      );
  });

  it('asks for nothing but a unit that has crashed', async () => {
    await cluster.startUnits(['test-4.service'], sleeper);
    await sleep(systemClock, quietMs);
    const before = await asked();
    await crash('test-4.service');
    const since = (await asked()).filter((line) => !before.includes(line));
    const names = since.map(namesListed);
    assert.ok(names.length > 0);
    for (const each of names) assert.deepEqual(each, ['test-4.service'], since.join('\n'));
    await mustFleetctl(host, ['destroy', 'test-4.service']);
  });

  // Before the bus is killed, and with it who notes what is asked.
  it('asks for all units after a reload', async () => {
    const before = await asked();
    await host.mustExec(['systemctl', 'daemon-reload']);
    await waitUntil({
      what: 'all units are asked for',
      read: async () => (await asked()).slice(before.length).flatMap(namesListed),
      until: (names) => steady.every((name) => names.includes(name)),
      onTimeout: () => host.journal(),
    });
  });

  it('hears of units again after systemd has been executed anew', () =>
    survives(() => host.mustExec(['systemctl', 'daemon-reexec'])));

  it('hears of units again after the bus was killed', () =>
    survives(() => host.mustExec(['systemctl', 'kill', '--signal=SIGKILL', 'dbus.service'])));

  it('goes on without a bus, and says so, and says when there is one again', async () => {
    const [signals, none] = [await said(hasSignals), await said(hasNone)];
    const pids = await mainPids(host, steady);
    await host.mustExec(['systemctl', 'stop', 'dbus.socket', 'dbus.service']);
    await untilSaid(hasNone, none + 1);
    await cluster.startUnits(['test-4.service'], sleeper);
    await crash('test-4.service');
    await mustFleetctl(host, ['destroy', 'test-4.service']);
    assert.equal(await said(hasNone), none + 1);
    await host.mustExec(['systemctl', 'start', 'dbus.socket']);
    await untilSaid(hasSignals, signals + 1);
    assert.deepEqual(await mainPids(host, steady), pids);
  });

  it('starts before there is a bus', async () => {
    await host.mustExec(['systemctl', 'stop', 'dbus.socket', 'dbus.service']);
    const [signals, none] = [await said(hasSignals), await said(hasNone)];
    await host.mustExec(['systemctl', 'restart', 'fleet.service']);
    await untilSaid(hasNone, none + 1);
    await cluster.startUnits(['test-4.service'], sleeper);
    await host.mustExec(['systemctl', 'start', 'dbus.socket']);
    await untilSaid(hasSignals, signals + 1);
    await crash('test-4.service');
  });
});

/** The units that a call of systemd, as the monitor notes it, asks about. */
function namesListed(line: string): string[] {
  if (!line.startsWith('{')) return [];
  const call = JSON.parse(line) as { member: string; payload: { data: readonly string[][] } };
  return call.member === 'ListUnitsByNames' ? [...(call.payload.data[0] ?? [])] : [];
}
