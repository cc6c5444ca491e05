import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { sleep, systemClock } from '@flotilla/runtime';
import {
  fleetctl,
  isLong,
  labObstacle,
  mustFleetctl,
  showProperty,
  type TestHost,
  untilLeader,
  waitUntil,
} from '../lab/index.js';
import { Cluster } from './cluster.js';
import { order, see, shell, untilActive, untilSeen } from './on-host.js';
import { assertUntouched, recordRuns, runsOf } from './unit-runs.js';

const [web, stopped, failed, idle] = ['web', 'stopped', 'failed', 'idle'].map((name) => `test-${name}.service`);
assert.ok(web && stopped && failed && idle);
const instances = [1, 2, 3, 4].map((number) => `test-i@${number}.service`);
const all = 'test-all.service';

/** Writes down each of its starts, takes a moment for them, and fails where it is told to. */
/** As often as a test likes. */
const counting = `[Unit]
StartLimitIntervalSec=0
[Service]
ExecStartPre=/bin/sh -c 'echo $INVOCATION_ID >>/run/starts-%n; test ! -e /run/fail-%n && sleep 0.2'
ExecStart=/bin/sleep infinity
`;
const global = `${counting}[X-Fleet]\nGlobal=true\n`;

describe('fleetctl restart', { skip: labObstacle() }, () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await Cluster.start('restart-verb');
  });

  after(() => cluster.close());
  afterEach(async () => {
    await cluster.reset();
    for (const host of cluster.lab.hosts) await shell(host, 'rm -f /run/starts-* /run/fail-*');
  });

  /** How often a unit was started on a host. */
  const startsOf = async (host: TestHost, unit: string) =>
    Number(await shell(host, `cat /run/starts-${unit} 2>/dev/null | wc -l`));

  const killFleetd = (host: TestHost, signal: string) =>
    host.mustExec(['systemctl', 'kill', '--kill-whom=main', `--signal=${signal}`, 'fleet.service']);

  const placed = async (unit: string): Promise<TestHost> => {
    const host = (await cluster.untilPlaced([unit])).get(unit);
    assert.ok(host);
    return host;
  };

  /** Has one unit run. @returns Its host, and another one. */
  const begin = async () => {
    await cluster.startUnits([web], counting);
    const host = await placed(web);
    const other = cluster.lab.hosts.find((each) => each !== host);
    assert.ok(other);
    return { host, other };
  };

  const monotonic = async (host: TestHost, unit: string, property: string) =>
    Number(await showProperty(host, unit, `${property}TimestampMonotonic`));

  /** Checks that each became active before the next one was touched; the hosts of a lab share a clock. */
  const assertInTurn = async (units: readonly (readonly [TestHost, string])[]) => {
    for (const [index, [host, unit]] of units.slice(1).entries()) {
      const [earlier, name] = units[index] ?? [host, unit];
      const [active, begun] = [
        await monotonic(earlier, name, 'ActiveEnter'),
        await monotonic(host, unit, 'ActiveExit'),
      ];
      assert.ok(active > 0 && active < begun, `${name} was active at ${active}, ${unit} stopped at ${begun}`);
    }
  };

  it('starts a unit once more, whether it runs, was stopped, has failed, or is only loaded', async () => {
    const units = [web, stopped, failed, idle];
    await order(cluster, ['start'], { [web]: counting, [stopped]: counting, [failed]: counting });
    await order(cluster, ['load'], { [idle]: counting });
    const hosts = await cluster.untilPlaced([web, stopped, failed]);
    const [stoppedOn, failedOn] = [hosts.get(stopped), hosts.get(failed)];
    assert.ok(stoppedOn && failedOn);
    await shell(stoppedOn, `systemctl stop ${stopped}`);
    await shell(failedOn, `systemctl kill --signal=KILL ${failed}`);
    for (const round of [1, 2]) {
      const runs = await recordRuns(cluster.lab.hosts);
      const { code, stdout, stderr } = await fleetctl(cluster.anyHost, ['restart', ...units]);
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, /^(Unit test-\S+ launched on \S+\n){4}$/);
      const now = await recordRuns(cluster.lab.hosts);
      for (const unit of units) {
        const host = await placed(unit);
        const at = `${host.name} ${unit}`;
        assert.equal(now.get(at)?.active, 'active');
        assert.notEqual(now.get(at)?.invocation, runs.get(at)?.invocation, at);
        assert.equal(await startsOf(host, unit), round + (unit === idle ? 0 : 1), at);
      }
    }
  });

  it('takes instances of a template one after the other, and none after one that fails', async () => {
    await order(cluster, ['submit'], { 'test-i@.service': counting });
    await mustFleetctl(cluster.anyHost, ['start', ...instances]);
    const hosts = await cluster.untilPlaced(instances);
    await mustFleetctl(cluster.anyHost, ['restart', 'test-i@{1..4}']);
    await assertInTurn(
      instances.flatMap((name) => [...hosts].filter(([unit]) => unit === name).map(([u, h]) => [h, u])),
    );
    const [, second, third, fourth] = instances;
    assert.ok(second && third && fourth);
    for (const host of cluster.lab.hosts) await shell(host, `touch /run/fail-${second}`);
    const left = runsOf(await recordRuns(cluster.lab.hosts), [third, fourth]);
    const { code, stderr } = await fleetctl(cluster.anyHost, ['restart', 'test-i@*']);
    assert.equal(code, 1);
    assert.match(stderr, /Unit test-i@2.service failed on /);
    assert.match(stderr, /Unit test-i@4.service is left alone: test-i@2.service failed/);
    await assertUntouched(left, cluster.lab.hosts);
  });

  it('takes a global unit host after host, or on one alone', async () => {
    const { hosts } = cluster.lab;
    await cluster.startUnits([all], global);
    for (const host of hosts) await untilActive(host, all);
    await waitUntil({
      what: 'all hosts tell of it',
      read: () => cluster.rows(all),
      until: (rows) => rows.filter(({ active }) => active === 'active').length === hosts.length,
    });
    const { stdout } = await fleetctl(cluster.anyHost, ['restart', all]);
    assert.match(stdout, /^(Unit test-all.service launched on \S+\n){3}$/);
    const turns = [...hosts].sort((one, other) => (one.machineId < other.machineId ? -1 : 1));
    await assertInTurn(turns.map((host) => [host, all]));
    const [first, ...others] = hosts;
    assert.ok(first);
    const before = await recordRuns(others);
    await mustFleetctl(cluster.anyHost, ['restart', `--machine=${first.machineId.slice(0, 12)}`, all]);
    await assertUntouched(before, others);
    assert.equal(await startsOf(first, all), 3);
    // One order for all: larger than that of the one that had its own.
    await mustFleetctl(cluster.anyHost, ['restart', '--no-block', all]);
    for (const host of hosts)
      await waitUntil({
        what: `${host.name} restarts it once more`,
        read: () => startsOf(host, all),
        until: (starts) => starts === (host === first ? 4 : 3),
      });
    const { lab } = cluster;
    assert.equal(await lab.etcdctl(['get', '--prefix', '--keys-only', '/_coreos.com/fleet/restarts/']), '');
  });

  it('is carried out although fleetd is killed meanwhile: once, or twice if it was just at it', async () => {
    const { host, other } = await begin();
    for (const afterMs of isLong ? [0, 30, 60, 90, 120, 180, 250] : [40, 120]) {
      const before = await startsOf(host, web);
      const restarting = fleetctl(other, ['restart', web]);
      await sleep(systemClock, afterMs);
      await killFleetd(host, 'SIGKILL');
      const { code, stderr } = await restarting;
      assert.equal(code, 0, stderr);
      const starts = (await startsOf(host, web)) - before;
      assert.ok(starts === 1 || starts === 2, `${starts} starts, fleetd was killed after ${afterMs} ms`);
    }
  });

  it('is not taken for done by a fleetd that begins while a copy before is still to be stopped', async () => {
    const slow = counting.replace('[Service]', `After=${web}\n[Service]\nExecStop=/bin/sleep 4`);
    await order(cluster, ['start'], { [web]: counting, [idle]: `${slow}[X-Fleet]\nMachineOf=${web}\n` });
    const host = await placed(web);
    assert.equal(await placed(idle), host);
    const { invocation } = await see(host, web);
    await mustFleetctl(cluster.anyHost, ['restart', '--no-block', idle]);
    await untilSeen(host, idle, ({ state }) => state.startsWith('deactivating'));
    const restarting = fleetctl(cluster.anyHost, ['restart', web]);
    await waitUntil({
      what: 'the one waits for the other to stop',
      read: () => shell(host, 'systemctl list-jobs --no-legend'),
      until: (jobs) => new RegExp(`${web} +restart +waiting`).test(jobs),
    });
    await shell(host, 'systemctl restart fleet.service');
    const { code, stderr } = await restarting;
    assert.equal(code, 0, stderr);
    assert.notEqual((await see(host, web)).invocation, invocation);
  });

  it('is carried out once although the leader is killed meanwhile', async () => {
    const { host } = await begin();
    const leader = await untilLeader(cluster.lab);
    // The unit's own host is to live: its restart is what is counted.
    const via = cluster.lab.hosts.find((each) => each !== leader.host);
    assert.ok(via);
    await killFleetd(leader.host, 'SIGSTOP');
    const restarting = fleetctl(via, ['restart', web]);
    await sleep(systemClock, 300);
    await killFleetd(leader.host, 'SIGKILL');
    const { code, stderr } = await restarting;
    assert.equal(code, 0, stderr);
    const starts = await startsOf(host, web);
    assert.ok(starts === 2 || host === leader.host, `${starts} starts`);
  });

  it('is refused while etcd is away, or carried out when it is back', async () => {
    const { host, other } = await begin();
    const [etcd] = cluster.lab.etcd;
    await killFleetd(host, 'SIGSTOP');
    await mustFleetctl(other, ['restart', '--no-block', web]);
    await etcd?.signal('SIGSTOP');
    await killFleetd(host, 'SIGCONT');
    const { code, stderr } = await fleetctl(other, ['restart', '--no-block', web]);
    assert.equal(code, 1);
    assert.match(stderr, /unable to communicate with etcd|it is not known whether this was done|no answer from fleetd/);
    await etcd?.signal('SIGCONT');
    await waitUntil({ what: 'it is restarted', read: () => startsOf(host, web), until: (starts) => starts >= 2 });
    await mustFleetctl(other, ['restart', web]);
    const starts = await startsOf(host, web);
    assert.ok(starts === 3 || starts === 4, `${starts} starts: one for each order, and one that may have been refused`);
  });

  it('stop stops what was started by hand, once, and restart restarts it', async () => {
    await order(cluster, ['load'], { [idle]: counting });
    const target = await mustFleetctl(cluster.anyHost, ['list-unit-files', '--no-legend', '--full', '--fields=target']);
    const host = cluster.hostOf(target.trim().split('/')[0] ?? '');
    const startByHand = async () => {
      await shell(host, `systemctl start ${idle}`);
      await waitUntil({
        what: 'it is told that it runs',
        read: () => cluster.rows(idle),
        until: ([row]) => row?.active === 'active',
      });
    };
    await startByHand();
    const { stdout } = await fleetctl(cluster.anyHost, ['stop', idle]);
    assert.match(stdout, /Successfully stopped units \[test-idle.service\]/);
    assert.equal((await see(host, idle)).state, 'inactive/dead');
    await startByHand();
    const runs = await recordRuns([host]);
    await killFleetd(host, 'SIGKILL');
    await order(cluster, ['start'], { [web]: counting });
    await placed(web);
    await assertUntouched(runsOf(runs, [idle]), [host]);
    const { invocation } = await see(host, idle);
    await mustFleetctl(cluster.anyHost, ['restart', idle]);
    await untilSeen(host, idle, (seen) => seen.state === 'active/running' && seen.invocation !== invocation);
  });
});
