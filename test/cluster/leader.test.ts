import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { sleep, systemClock } from '@flotilla/runtime';
import { findLeader, labObstacle, mustFleetctl, type TestHost, untilLeader, waitUntil } from '../lab/index.js';
import { Cluster, sleeper } from './cluster.js';
import { placedByEtcd } from './placed-by-etcd.js';

const many = Array.from({ length: 60 }, (_, index) => `test-${index + 1}.service`);

describe('a leader', { skip: labObstacle() }, () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await Cluster.start('leader');
  });

  after(() => cluster.close());
  afterEach(() => cluster.reset());

  const signalFleetd = (host: TestHost, signal: string) =>
    host.mustExec(['systemctl', 'kill', '--kill-whom=main', `--signal=${signal}`, 'fleet.service']);

  /** Asks a host for units without waiting for them. */
  const ask = async (host: TestHost, names: readonly string[]): Promise<void> => {
    const paths: string[] = [];
    for (const name of names) paths.push(await cluster.unitFile(name, sleeper));
    await mustFleetctl(host, ['start', '--no-block', ...paths]);
  };

  const otherThan = (leader: TestHost): TestHost => {
    const other = cluster.lab.hosts.find((host) => host !== leader);
    assert.ok(other, 'there is another host');
    return other;
  };

  it('that is killed while units stream in leaves none unplaced', async () => {
    const first = await untilLeader(cluster.lab);
    const submitted = (async () => {
      for (let at = 0; at < many.length; at += 10) await ask(otherThan(first.host), many.slice(at, at + 10));
    })();
    await waitUntil({
      what: 'the first units are placed',
      read: () => placements(cluster),
      until: (count) => count > 0,
      intervalMs: 10,
    });
    await signalFleetd(first.host, 'SIGKILL');
    await submitted;
    await untilLeader(cluster.lab, first);
    await cluster.assertRunning(await cluster.untilPlaced(many));
  });

  it('that is killed with work left for certain leaves it to its successor', async () => {
    const first = await untilLeader(cluster.lab);
    const [begun, left] = [many.slice(0, 20), many.slice(20)];
    await cluster.startUnits(begun, sleeper);
    // What comes in now is work that this leader has and will never do.
    await signalFleetd(first.host, 'SIGSTOP');
    await ask(otherThan(first.host), left);
    assert.equal(await placements(cluster), begun.length);
    await signalFleetd(first.host, 'SIGKILL');
    await untilLeader(cluster.lab, first);
    await cluster.assertRunning(await cluster.untilPlaced(many));
  });

  it('that is frozen past its lease and thawed changes nothing that its successor decided', async () => {
    const first = await untilLeader(cluster.lab);
    await cluster.startUnits(many, sleeper);
    await signalFleetd(first.host, 'SIGSTOP');
    const second = await untilLeader(cluster.lab, first);
    assert.notEqual(second.host, first.host);
    // The frozen machine's own lease ends too: its units are placed elsewhere by the new leader.
    const decided = await waitUntil({
      what: 'all units are placed on the two others',
      read: () => placedByEtcd(cluster),
      until: (placed) => placed.size === many.length && ![...placed.values()].includes(first.host.machineId),
      onTimeout: () => cluster.lab.hosts[0]?.journal('fleet.service') ?? Promise.resolve(''),
    });
    await signalFleetd(first.host, 'SIGCONT');
    await cluster.untilRunning(first.host, []);
    await sleep(systemClock, leaseMs);
    assert.deepEqual(await placedByEtcd(cluster), decided);
    assert.equal((await findLeader(cluster.lab))?.term, second.term);
    await cluster.assertRunning(await cluster.untilPlaced(many));
  });
});

/** One lease of leader and machine: what a thawed leader were to do in error, it would have done by then. */
const leaseMs = 5_000;

async function placements(cluster: Cluster): Promise<number> {
  return (await placedByEtcd(cluster)).size;
}
