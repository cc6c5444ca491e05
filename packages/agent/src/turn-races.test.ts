import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { keys, StoreError } from '@flotilla/registry';
import { sleep } from '@flotilla/runtime';
import { MemoryFleet, type MemoryMember } from './memory-fleet.js';
import { service } from './memory-host.js';

let fleet: MemoryFleet;
beforeEach(async () => {
  fleet = await MemoryFleet.start(2);
});
afterEach(async () => {
  await fleet.close();
});

const logs = service('logs');
const turn = keys.update(logs);
const version = (number: number) =>
  `[Unit]\nDescription=${number}\n[Service]\nExecStart=/bin/sleep infinity\nExecStop=/bin/sleep 1\n[X-Fleet]\nUpdate=rolling\nGlobal=true\n`;

const untilAll = (wanted: number) =>
  fleet.until(async () => {
    const [active, versions] = [await fleet.active(logs), await fleet.versions(logs, [0, 1, 2].map(version))];
    return active.every((each) => each === 'active') && versions.every((each) => each === wanted);
  }, `version ${wanted} everywhere`);

/** Has something done to each deletion of the turn before the store gets it. */
function beforeGivingBack({ store }: MemoryMember, act: () => Promise<void>): void {
  const { transact } = store;
  store.transact = async (transaction) => {
    if (transaction.success.some((operation) => operation.kind === 'delete' && operation.from === turn)) await act();
    return await transact.call(store, transaction);
  };
}

test('content that changes while the turn is being given back waits for another turn', async () => {
  await fleet.putGlobal(logs, version(0));
  await untilAll(0);
  let leaving = 0;
  for (const member of fleet.members)
    beforeGivingBack(member, async () => {
      leaving++;
      // The store takes its time.
      await sleep(fleet.clock, 300);
    });
  await fleet.putGlobal(logs, version(1));
  await fleet.until(() => leaving === 1, 'on the way back');
  let most = 0;
  fleet.onStep = async () => {
    const down = (await fleet.active(logs)).filter((state) => state !== 'active').length;
    most = Math.max(most, down);
    assert.ok(down <= 1, `${down} copies are down together: ${await fleet.turns()}`);
  };
  await fleet.putGlobal(logs, version(2));
  await untilAll(2);
  await fleet.until(async () => (await fleet.turns()).length === 0, 'free of turns');
  assert.equal(most, 1);
});

test('a turn that can not be given back for now costs no passes', async () => {
  await fleet.putGlobal(logs, version(0));
  await untilAll(0);
  let [refusals, passes, isSick] = [0, 0, true];
  for (const member of fleet.members) {
    beforeGivingBack(member, () => {
      refusals++;
      return isSick ? Promise.reject(new StoreError('unavailable', 'not now')) : Promise.resolve();
    });
    const { unitManager } = member;
    const { listFiles } = unitManager;
    unitManager.listFiles = () => {
      passes++;
      return listFiles.call(unitManager);
    };
  }
  await fleet.putGlobal(logs, version(1));
  await fleet.until(() => refusals === 1, 'refused');
  passes = 0;
  await fleet.advance(5000);
  assert.ok(refusals > 2);
  assert.ok(passes <= 2, `${passes} passes`);
  isSick = false;
  await untilAll(1);
});

test('a turn that could not be given back at first is given back, whatever else happens meanwhile', async () => {
  await fleet.putGlobal(logs, version(0));
  await untilAll(0);
  let refusals = 0;
  for (const member of fleet.members)
    beforeGivingBack(member, async () => {
      if (refusals++ > 0) return;
      await sleep(fleet.clock, 300);
      throw new StoreError('unavailable', 'not now');
    });
  await fleet.putGlobal(logs, version(1));
  await fleet.until(() => refusals === 1, 'on the way back');
  await fleet.putGlobal(service('other'), version(0).replace('rolling', 'at-once'));
  await fleet.advance(10_000);
  assert.deepEqual(await fleet.turns(), []);
  await untilAll(1);
});

test('machines that were away for new content and its being taken back restart their copies in turns', async () => {
  await fleet.putGlobal(logs, version(0));
  await untilAll(0);
  await fleet.advance(1000);
  for (const { store } of fleet.members) store.cut();
  await fleet.advance(1000);
  await fleet.putGlobal(logs, version(1));
  await fleet.putGlobal(logs, version(0));
  let most = 0;
  const stopped = new Set<number>();
  fleet.onStep = async () => {
    const down = (await fleet.active(logs)).flatMap((state, index) => (state === 'active' ? [] : [index]));
    for (const index of down) stopped.add(index);
    most = Math.max(most, down.length);
  };
  for (const { store } of fleet.members) store.heal();
  await fleet.until(() => stopped.size === 2, 'restarted');
  await untilAll(0);
  await fleet.until(async () => (await fleet.turns()).length === 0, 'free of turns');
  await fleet.advance(5000);
  assert.equal(most, 1);
  await fleet.putGlobal(logs, version(0));
  await fleet.advance(500);
  assert.deepEqual(await fleet.active(logs), ['deactivating', 'deactivating'], 'an order to restart takes no turns');
});
