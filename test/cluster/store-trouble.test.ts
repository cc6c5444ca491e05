import { after, before, describe, it } from 'node:test';
import { labObstacle } from '../lab/index.js';
import { Cluster } from './cluster.js';
import { type Fault, startSubjects, suffer } from './trouble.js';

const faults: readonly Fault[] = [
  {
    what: 'all members are killed',
    lastsMs: 8_000,
    async begin({ lab }) {
      for (const member of lab.etcd) await member.signal('SIGKILL');
    },
    async end({ lab }) {
      for (const member of lab.etcd) await member.start();
    },
  },
  {
    what: 'all members are frozen',
    lastsMs: 5_000,
    async begin({ lab }) {
      for (const member of lab.etcd) await member.signal('SIGSTOP');
    },
    async end({ lab }) {
      for (const member of lab.etcd) await member.signal('SIGCONT');
    },
  },
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
      test.diagnostic(`told after ${await suffer(cluster, fault)} ms`);
    });
});
