import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type EtcdServer, isLong, labObstacle, mustFleetctl, type NetworkCut, waitUntil } from '../lab/index.js';
import { Cluster, sleeperWith } from './cluster.js';
import { type Fault, startSubjects, suffer, untilOutOfContact } from './faults.js';
import { assertUntouched, recordRuns, runsOf, untilTold } from './unit-runs.js';

const tooLong = 'it takes long: npm run test:long runs it';

const restMs = (longMs: number, shortMs: number) => (isLong ? longMs : shortMs);

/** Hosts lose contact with etcd, in one of several ways. */
const cut = (how: NetworkCut, whom: 'one' | 'all'): Fault => {
  const strikes = ({ machines }: Cluster) => (whom === 'all' ? machines : machines.slice(-1));
  return {
    what: `${whom === 'all' ? 'all hosts are' : 'one host is'} cut off (${how})`,
    strikes,
    lastsMs: restMs(whom === 'all' ? 120_000 : 30_000, 0),
    async begin(cluster) {
      for (const host of strikes(cluster)) await host.cutNetwork(how);
    },
    async end(cluster) {
      for (const host of strikes(cluster)) await host.healNetwork();
    },
  };
};

async function findMember({ lab }: Cluster, role: 'leader' | 'follower'): Promise<EtcdServer> {
  for (const member of lab.etcd) {
    const [, , , , isLeader] = (await member.etcdctl(['endpoint', 'status'])).split(', ');
    if ((isLeader === 'true') === (role === 'leader')) return member;
  }
  throw new Error(`etcd has no ${role}`);
}

const harms = {
  killed: [(member: EtcdServer) => member.signal('SIGKILL'), (member: EtcdServer) => member.start()],
  frozen: [(member: EtcdServer) => member.signal('SIGSTOP'), (member: EtcdServer) => member.signal('SIGCONT')],
  'cut off': [(member: EtcdServer) => member.cutOff(), (member: EtcdServer) => member.rejoin()],
  'parted from its fellows': [
    (member: EtcdServer) => member.cutOff('fellows'),
    (member: EtcdServer) => member.rejoin(),
  ],
} as const;

/** One member of three is in trouble, and nobody else. */
const harm = (role: 'leader' | 'follower', how: keyof typeof harms): Fault => {
  const [begin, end] = harms[how];
  let harmed: EtcdServer | undefined;
  return {
    what: `etcd's ${role} is ${how}`,
    strikes: () => [],
    lastsMs: restMs(20_000, 0),
    async begin(cluster) {
      harmed = await findMember(cluster, role);
      await begin(harmed);
    },
    async end(cluster) {
      if (harmed !== undefined) await end(harmed);
      for (const member of cluster.lab.etcd) await member.untilHealthy();
    },
  };
};

const inEveryRun: readonly Fault[] = [harm('leader', 'cut off'), cut('silence', 'one'), cut('cable', 'all')];
const inLongRuns: readonly Fault[] = [
  ...(['leader', 'follower'] as const).flatMap((role) =>
    (['killed', 'frozen', 'cut off', 'parted from its fellows'] as const).map((how) => harm(role, how)),
  ),
  ...(['cable', 'refusal'] as const).map((how) => cut(how, 'one')),
  ...(['silence', 'refusal'] as const).map((how) => cut(how, 'all')),
];

describe('hosts whose network is in trouble', { skip: labObstacle() }, () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await Cluster.start('network-trouble', { etcdMembers: 3 });
    // A host that is away is to keep its units for as long as a test takes.
    await mustFleetctl(cluster.anyHost, ['settings', 'set', 'loss_settle=10m']);
    await startSubjects(cluster);
  });

  after(() => cluster.close());

  const faults = [...inEveryRun, ...inLongRuns.filter(({ what }) => inEveryRun.every((other) => other.what !== what))];
  for (const [index, fault] of faults.entries())
    it(`${fault.what}: units run on, and soon all is told and done again`, {
      skip: !isLong && index >= inEveryRun.length && tooLong,
    }, async (test) => {
      const { toldMs, doneMs } = await suffer(cluster, fault);
      test.diagnostic(`all is told after ${toldMs} ms, an order is carried out after ${doneMs} ms`);
    });

  it('what was asked of a host while it was cut off is done once it is back, and nothing else is', async () => {
    const [asked, , away] = cluster.machines;
    assert.ok(asked && away);
    const [stays, stops, goes, comes] = ['stays', 'stops', 'goes', 'comes'].map((name) => `test-asked-${name}.service`);
    assert.ok(stays && stops && goes && comes);
    const there = sleeperWith(`MachineMetadata=host=${away.name}`);
    await cluster.startUnits([stays, stops, goes], there);
    const before = await recordRuns([away]);
    await away.cutNetwork('silence');
    await untilOutOfContact([away]);
    await mustFleetctl(asked, ['stop', '--no-block', stops]);
    await mustFleetctl(asked, ['destroy', '--no-block', goes]);
    await mustFleetctl(asked, ['start', '--no-block', await cluster.unitFile(comes, there)]);
    await assertUntouched(before, [away]);
    await away.healNetwork();
    const activeOn = async () => [...(await recordRuns([away]))].filter(([, { active }]) => active === 'active');
    await waitUntil({
      what: `${away.name} has done as it was told`,
      read: async () => (await activeOn()).map(([at]) => at.split(' ')[1] ?? ''),
      until: (names) => !names.includes(stops) && !names.includes(goes) && names.includes(comes),
      onTimeout: () => cluster.details(),
    });
    await untilTold(asked, cluster.machines);
    const others = [...before.keys()]
      .map((at) => at.split(' ')[1] ?? '')
      .filter((name) => name !== stops && name !== goes);
    await assertUntouched(runsOf(before, others), [away]);
  });
});
