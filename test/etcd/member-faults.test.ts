import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { type HeldLease, holdLease, type Store } from '@flotilla/registry';
import { put, read, rejects, until, write } from '@flotilla/registry/contract';
import { silentLogger, systemClock } from '@flotilla/runtime';
import { isLong } from '../lab/index.js';
import { MemberCluster, memberFaults } from './member-cluster.js';
import { MemberNetwork, memberNetworkMissing } from './member-network.js';
import { openStore, time } from './test-stores.js';
import { Workload } from './workload.js';

/** The default of the store, so that one deadline is longer than an election. */
const requestTimeoutMs = 2_000;

/** A read ends within four deadlines; the rest is for a machine that is busy. Longer than that is a hang. */
const hangMs = 6 * requestTimeoutMs;

const network = MemberNetwork.find();
/** Each fault is waited out over many deadlines; the kinds that differ most are part of every run. */
const inEveryRun: readonly string[] = ['leader killed', 'leader frozen'];
const obstacle = memberNetworkMissing();
if (obstacle !== undefined) describe('a member of three in trouble', { skip: obstacle });
else if (network === undefined) await MemberNetwork.run(import.meta.filename);
else describeAll(network);

/**
 * A lease that its holder renewed is there, or its holder is told: a leader of etcd 3.4.23 that was frozen may end every
 * lease when it thaws.
 *
 * @see https://github.com/etcd-io/etcd/issues/15247
 */
async function keptOrTold(store: Store, lease: HeldLease): Promise<void> {
  if ((await read(store, { from: 'c' })).length > 0) return assert.equal(lease.lost.aborted, false);
  await until(time, 'the holder of a lease that etcd has ended is told', () => lease.lost.aborted);
}

function describeAll(inside: MemberNetwork): void {
  describe('a member of three in trouble', () => {
    let cluster: MemberCluster;
    before(async () => {
      cluster = await MemberCluster.start(inside);
    });
    afterEach(() => cluster.mend());
    after(() => cluster?.remove());

    for (const role of ['leader', 'follower'] as const) {
      for (const fault of memberFaults) {
        const isTooLong = !isLong && !inEveryRun.includes(`${role} ${fault}`);
        const skip = isTooLong && 'it is waited out over many deadlines: npm run test:long runs it';
        it(`${role} ${fault}: nothing is lost, doubled or hung, during it and after`, { skip }, async (test) => {
          const open = () => openStore({ hosts: cluster.urls, prefix: `${role} ${fault}`, requestTimeoutMs });
          const store = open();
          const start = await write(store, put('b'));
          const lease = await holdLease({ store, clock: systemClock, log: silentLogger, ttlSeconds: 10 });
          await write(store, put('c', '', lease.id));
          // Clients choose their members by lot: of four, one is likely to be with the one that is harmed.
          const workload = new Workload([store, open(), open(), open()], start);
          test.after(() => workload.stop());
          await workload.progress(20);
          await cluster.harm(await cluster.find(role), fault);
          await workload.progress(20);
          assert.ok(lease.isFresh(), 'the lease outlives the fault');
          await cluster.mend();
          await workload.progress(20);
          await workload.finish();
          await keptOrTold(store, lease);
          await lease.release();
          const { longestReadMs, longestWriteMs, reads, readBack, written } = workload;
          const figures = { keys: written.size, reads, readBack, longestReadMs, longestWriteMs };
          test.diagnostic(JSON.stringify(figures));
          assert.ok(Math.max(longestReadMs, longestWriteMs) < hangMs, JSON.stringify(figures));
        });
      }
    }

    it('a member parted from its fellows takes and tells nothing, and says so', async () => {
      const [member] = cluster.members;
      assert.ok(member !== undefined);
      const store = openStore({ hosts: [member.url], prefix: 'alone', requestTimeoutMs });
      await write(store, put('b'));
      await cluster.harm(member, 'parted');
      await rejects(write(store, put('b')), 'unavailable', 'uncertain');
      await rejects(store.range({ from: 'b' }), 'unavailable');
      await cluster.mend();
      assert.deepEqual(await read(store, { from: 'b' }), ['b=']);
    });
  });
}
