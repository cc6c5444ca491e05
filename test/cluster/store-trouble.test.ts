import { after, before, describe, it } from 'node:test';
import { isLong, labObstacle } from '../lab/index.js';
import { Cluster } from './cluster.js';
import { type Fault, startSubjects, suffer } from './faults.js';

const signalAll = (signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT') => async (cluster: Cluster) => {
  for (const member of cluster.lab.etcd) await member.signal(signal);
};

const startAll = async ({ lab }: Cluster) => {
  for (const member of lab.etcd) await member.start();
};

/** Ends all leases behind everybody's back, as etcd itself may. @see https://github.com/etcd-io/etcd/issues/15247 */
async function revokeLeases({ lab }: Cluster): Promise<void> {
  const [member] = lab.etcd;
  const listed = (await member?.etcdctl(['lease', 'list'])) ?? '';
  for (const id of listed.split('\n').filter((line) => /^[0-9a-f]+$/.test(line)))
    await member?.etcdctl(['lease', 'revoke', id]);
}

const faults: readonly Fault[] = [
  { what: 'all members are killed', lastsMs: isLong ? 180_000 : 8_000, begin: signalAll('SIGKILL'), end: startAll },
  {
    what: 'all members are frozen',
    lastsMs: isLong ? 20_000 : 3_000,
    begin: signalAll('SIGSTOP'),
    end: signalAll('SIGCONT'),
  },
  { what: 'all leases end at once', strikes: () => [], begin: revokeLeases, end: async () => {} },
];

describe('hosts whose store is in trouble', { skip: labObstacle() }, () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await Cluster.start('store-trouble', { etcdMembers: 3 });
    await startSubjects(cluster);
  });

  after(() => cluster.close());

  for (const fault of faults)
    it(`${fault.what}: units run on, and soon all is told and done again`, async (test) => {
      const { toldMs, doneMs } = await suffer(cluster, fault);
      test.diagnostic(`all is told after ${toldMs} ms, an order is carried out after ${doneMs} ms`);
    });
});
