import { after, afterEach, before, describe } from 'node:test';
import { describeStoreContract, type StoreHarness } from '@flotilla/registry/contract';
import { createEtcdStore } from '@flotilla/registry-etcd';
import { silentLogger, sleep, systemClock } from '@flotilla/runtime';
import { isLong } from '../lab/index.js';
import { compactEtcd } from './gateway.js';
import { MemberCluster, type MemberFault, memberFaults } from './member-cluster.js';
import { MemberNetwork, memberNetworkMissing } from './member-network.js';
import { TestProxy } from './proxy.js';

/** Long enough for two members of three on a busy machine. */
const requestTimeoutMs = 2_000;

/** What is left to long runs is told apart by where it happens only. */

const network = MemberNetwork.find();
const obstacle = memberNetworkMissing();
if (obstacle !== undefined) describe('three members in networks of their own', { skip: obstacle });
else if (network === undefined) await MemberNetwork.run(import.meta.filename);
else describeAll(network);

function describeAll(inside: MemberNetwork): void {
  describeWith(inside, undefined);
  for (const fault of isLong ? memberFaults : (['frozen'] as const)) describeWith(inside, fault);
}

/** The contract, by way of every member that is well; one of them is not, all along. */
function describeWith(inside: MemberNetwork, fault: MemberFault | undefined): void {
  describe(`on three members${fault === undefined ? '' : `, one of them ${fault}`}`, () => {
    let cluster: MemberCluster;
    let count = 0;
    const proxies: TestProxy[] = [];
    before(async () => {
      cluster = await MemberCluster.start(inside);
      if (fault !== undefined) await cluster.harm(await cluster.find('leader'), fault);
      await Promise.all(cluster.sound.map((member) => member.untilHealthy()));
    });
    afterEach(() => Promise.all(proxies.splice(0).map((proxy) => proxy.close())));
    after(() => cluster?.remove());
    describeStoreContract('EtcdStore', async (): Promise<StoreHarness> => {
      for (const member of cluster.sound) proxies.push(await TestProxy.start(member));
      const prefix = `contract/${count++}`;
      const options = { prefix, requestTimeoutMs, clock: systemClock, log: silentLogger };
      const store = createEtcdStore({ ...options, hosts: proxies.map(({ url }) => url) });
      const other = createEtcdStore({ ...options, hosts: cluster.sound.map(({ url }) => url) });
      const all = (harm: (proxy: TestProxy) => void) => async () => {
        for (const proxy of proxies) harm(proxy);
      };
      return {
        store,
        other,
        elapse: (ms) => sleep(systemClock, ms),
        faults: {
          cut: all((proxy) => proxy.cut()),
          heal: all((proxy) => proxy.heal()),
          async loseNextReply() {
            // A new connection to a server that says nothing does not get as far as a request.
            for (let reads = 0; reads < 100 && proxies.some(({ isUsed }) => !isUsed); reads++)
              await store.range({ from: 'a' });
            for (const proxy of proxies) proxy.swallowAnswers();
          },
          compact: (revision) => compactEtcd(cluster.sound[0]?.url ?? '', revision),
          backup: () => cluster.backup(),
          restore: () => cluster.restore(),
          wipe: () => cluster.replace({ isForeign: false }),
          swap: () => cluster.replace({ isForeign: true }),
        },
        async close() {
          await store.close();
          await other.close();
        },
      };
    });
  });
}
