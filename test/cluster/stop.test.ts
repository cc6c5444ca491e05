import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { journalsOf, labObstacle, showProperty, type TestHost, untilMachines, waitUntil } from '../lab/index.js';
import { untilAnotherFleetd } from './another-fleetd.js';
import { Cluster, sleeper } from './cluster.js';
import { assertUntouched, recordRuns, runsOf } from './unit-runs.js';

const names = Array.from({ length: 4 }, (_, index) => `test-${index + 1}.service`);
const prefix = '/_coreos.com/fleet/';
const dropIn = '/etc/systemd/system/fleet.service.d/on-stop.conf';
const assignment = '/var/lib/fleet/assignment.json';
const stop = ['systemctl', 'stop', 'fleet.socket', 'fleet.service'];
const start = ['systemctl', 'start', 'fleet.socket', 'fleet.service'];

/** Stops later than fleetd waits for. */
const slow = 'test-slow.service';
const slowText = '[Service]\nExecStart=/bin/sleep infinity\nExecStop=/bin/sleep 6\n';

describe('fleetd that is stopped', { skip: labObstacle() }, () => {
  let cluster: Cluster;
  let steady: TestHost;
  let host: TestHost;

  before(async () => {
    cluster = await Cluster.start('stop', { hosts: 2, config: { leave_timeout: '2s' } });
    const [one, two] = cluster.lab.hosts;
    assert.ok(one && two);
    [steady, host] = [one, two];
  });

  after(() => cluster.close());
  afterEach(async () => {
    await host.healNetwork();
    await host.mustExec(['rm', '-f', dropIn]);
    await host.mustExec(['systemctl', 'daemon-reload']);
    await host.mustExec(start);
    await cluster.reset();
  });

  const etcdctl = (...words: readonly string[]) => cluster.lab.etcdctl(words);
  const getValue = (key: string) => etcdctl('get', '--print-value-only', prefix + key);
  const show = (property: string, unit = 'fleet.service') => showProperty(host, unit, property);
  const exists = async (path: string) => (await host.exec(['test', '-e', path])).code === 0;

  /** Starts the units. @returns Those on the host that is to be stopped. */
  const startAll = async (more: Readonly<Record<string, string>> = {}): Promise<string[]> => {
    const texts = { ...Object.fromEntries(names.map((name) => [name, sleeper])), ...more };
    await cluster.start(texts);
    const placed = await cluster.untilPlaced([...names, ...Object.keys(more)]);
    return [...placed].filter(([, at]) => at === host).map(([name]) => name);
  };

  const setOnStop = async (value: string) => {
    await host.writeFile(dropIn, `[Service]\nEnvironment=FLEET_ON_STOP=${value}\n`);
    await host.mustExec(['systemctl', 'daemon-reload']);
    await host.mustExec(['systemctl', 'restart', 'fleet.service']);
    await untilMachines(host, cluster.lab.hosts);
  };

  const assertEndedWell = async () =>
    assert.deepEqual([await show('Result'), await show('ExecMainStatus')], ['success', '0'], await journalsOf([host]));

  /** Nothing of the host's is left in etcd, in systemd and on the disk. */
  const assertLeft = async (own: readonly string[]) => {
    assert.match(await getValue(`members/${host.machineId}`), /"left"/);
    assert.equal(await getValue(`machines/${host.machineId}`), '');
    const states = await etcdctl('get', '--prefix', '--keys-only', `${prefix}states/`);
    assert.equal(states.includes(host.machineId), false, states);
    for (const name of own) assert.equal(await show('LoadState', name), 'not-found', name);
    assert.equal((await host.mustExec(['ls', '/var/lib/fleet/units'])).trim(), '');
    assert.equal(await exists(assignment), false);
  };

  it('leaves: its units stop first, then it has left, and they run elsewhere', async () => {
    const tell = `/bin/sh -c 'etcdctl --endpoints ${cluster.lab.etcdUrls} get --prefix ${prefix}m >/var/lib/test-at-stop'`;
    const teller = `[Service]\nExecStart=/bin/sleep infinity\nExecStop=${tell}\n[X-Fleet]\nMachineMetadata=host=host-2\n`;
    const own = await startAll({ 'test-teller.service': teller });
    await host.mustExec(stop);
    await assertEndedWell();
    await assertLeft(own);
    const atStop = await host.readFile('/var/lib/test-at-stop');
    assert.match(atStop, new RegExp(`members/${host.machineId}\n.*"joined"`));
    assert.match(atStop, new RegExp(`machines/${host.machineId}\n`));
    await cluster.untilRunning(steady, names);
  });

  const stays: readonly (readonly string[])[] = [
    ['restart', 'fleet.service'],
    ['try-restart', 'fleet.service'],
    ['kill', '--kill-who=main', '--signal=SIGTERM', 'fleet.service'],
    ['kill', '--kill-who=main', '--signal=SIGKILL', 'fleet.service'],
    ['kill', '--kill-who=main', '--signal=SIGSEGV', 'fleet.service'],
  ];
  it('stays a machine of its cluster when it is restarted, killed or crashes, and no unit notices', async () => {
    await startAll();
    const runs = await recordRuns(cluster.lab.hosts);
    const record = await getValue(`machines/${host.machineId}`);
    for (const words of stays) {
      await untilAnotherFleetd(host, ['systemctl', ...words]);
      await untilMachines(host, cluster.lab.hosts);
      assert.equal(await getValue(`machines/${host.machineId}`), record, words.join(' '));
      await assertUntouched(runs, cluster.lab.hosts);
    }
  });

  it('does the contrary of both if it is told so', async () => {
    await setOnStop('stay');
    await startAll();
    const runs = await recordRuns(cluster.lab.hosts);
    // In one step: its lease lives for 5 s only.
    await host.mustExec(['sh', '-e', '-c', `${stop.join(' ')}; ${start.join(' ')}`]);
    await untilMachines(host, cluster.lab.hosts);
    await assertUntouched(runs, cluster.lab.hosts);

    await setOnStop('leave');
    await assertUntouched(runs, cluster.lab.hosts);
    await host.mustExec(['systemctl', 'restart', 'fleet.service']);
    await cluster.untilRunning(host, []);
    await cluster.untilRunning(steady, names);
    await assertUntouched(new Map([...runs].filter(([at]) => at.startsWith(steady.name))), [steady]);
  });

  it('does not wait for a unit that does not stop in time, and sees to it when it is back', async () => {
    const own = await startAll({ [slow]: `${slowText}[X-Fleet]\nMachineMetadata=host=host-2\n` });
    await host.mustExec(stop);
    await assertEndedWell();
    assert.equal(await show('ActiveState', slow), 'deactivating');
    assert.match(await getValue(`members/${host.machineId}`), /"left"/, await journalsOf([host]));
    await cluster.untilRunning(steady, names);
    assert.equal(own.length, 3);
    await host.mustExec(start);
    await untilMachines(host, cluster.lab.hosts);
    await cluster.untilRunning(host, [slow]);
  });

  /** systemctl gives up after the time that a stop may take then. */
  const stopWithin10s = async () => {
    await host.mustExec(['timeout', '10', ...stop]);
    await assertEndedWell();
  };

  it('stops its units and keeps their assignment while etcd is away', async () => {
    const own = await startAll();
    await host.cutNetwork('silence');
    await stopWithin10s();
    await cluster.untilRunning(host, []);
    for (const name of own) assert.ok((await host.readFile(assignment)).includes(name), name);
    await host.healNetwork();
    assert.match(await getValue(`members/${host.machineId}`), /"joined"/);
    await host.mustExec(start);
    await untilMachines(host, cluster.lab.hosts);
    await cluster.untilPlaced(names);
  });

  it('does the same while it is frozen', async () => {
    const own = await startAll();
    const identity = await getValue('cluster');
    await etcdctl('put', `${prefix}cluster`, identity.replace(/"uuid":"[^"]+"/, '"uuid":"another"'));
    await host.mustExec(['systemctl', 'restart', 'fleet.service']);
    await waitUntil({
      what: 'the host is frozen',
      read: () => getValue(`machines/${host.machineId}`),
      until: (record) => record.includes('"frozen"'),
      onTimeout: () => journalsOf([host]),
    });
    const runs = runsOf(await recordRuns([host]), own);
    assert.equal(
      [...runs.values()].every(({ active }) => active === 'active'),
      true,
    );
    await stopWithin10s();
    await cluster.untilRunning(host, []);
    assert.equal(await exists(assignment), true);
    assert.match(await getValue(`members/${host.machineId}`), /"joined"/);
    await etcdctl('put', `${prefix}cluster`, identity);
  });
});
