import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { encodeRecord, keys } from '@flotilla/registry';
import { parseUnitName, type UnitName } from '@flotilla/unit';
import { MemoryFleet } from './memory-fleet.js';
import { service } from './memory-host.js';

let fleet: MemoryFleet;
beforeEach(async () => {
  fleet = await MemoryFleet.start(3);
});
afterEach(async () => {
  await fleet.close();
});

const logs = service('logs');
const turn = keys.update(logs);
/** The content of a unit in a version. */
const version = (number: number, options: readonly string[] = [], command = '/bin/sleep infinity') =>
  `[Unit]\nDescription=${number}\n[Service]\nExecStart=${command}\nExecStop=/bin/sleep 1\n[X-Fleet]\nUpdate=rolling\n${options.join('\n')}\n`;
const globalVersion = (number: number, command?: string) => version(number, ['Global=true'], command);
const texts = [0, 1, 2, 3].map((number) => globalVersion(number));
const [v0 = '', v1 = '', v2 = ''] = texts;
const bad = globalVersion(9, '/bin/false');

const untilAll = (name: UnitName, wanted: number, of = texts) =>
  fleet.until(async () => {
    const [active, versions] = [await fleet.active(name), await fleet.versions(name, of)];
    return active.every((each) => each === 'active') && versions.every((each) => each === wanted);
  }, `version ${wanted} everywhere`);
const untilFree = () => fleet.until(async () => (await fleet.turns()).length === 0, 'free of turns');

/** Runs version 0 of the global unit on all machines. */
async function runGlobal(): Promise<void> {
  await fleet.putGlobal(logs, v0);
  await untilAll(logs, 0);
  await fleet.advance(1000);
}

/** From now on, at each moment, no more than one machine's copy may be down. */
function watchDowns(name: UnitName): { readonly most: () => number } {
  let most = 0;
  fleet.onStep = async () => {
    const down = (await fleet.active(name)).filter((state) => state !== 'active').length;
    most = Math.max(most, down);
    assert.ok(down <= 1, `${down} copies are down together: ${await fleet.turns()}`);
  };
  return { most: () => most };
}

test('a global unit with Update=rolling is replaced on one machine after the other', async () => {
  await runGlobal();
  const downs = watchDowns(logs);
  await fleet.putGlobal(logs, v1);
  await untilAll(logs, 1);
  await untilFree();
  assert.equal(downs.most(), 1);
});

test('a first start, a restart, a stop and a start take no turns', async () => {
  await fleet.putGlobal(logs, v0);
  await fleet.clock.advance(500);
  assert.deepEqual(await fleet.active(logs), ['active', 'active', 'active']);
  await fleet.putGlobal(logs, v0);
  await fleet.clock.advance(500);
  assert.deepEqual(await fleet.active(logs), ['deactivating', 'deactivating', 'deactivating']);
  await untilAll(logs, 0);
  await fleet.putGlobal(logs, v1, { desiredState: 'loaded' });
  await fleet.clock.advance(2000);
  assert.deepEqual(await fleet.active(logs), ['inactive', 'inactive', 'inactive']);
  await fleet.putGlobal(logs, v1);
  await fleet.clock.advance(500);
  assert.deepEqual(await fleet.active(logs), ['active', 'active', 'active']);
});

test('without Update=rolling all copies are replaced at once', async () => {
  await runGlobal();
  await fleet.putGlobal(logs, v1.replace('Update=rolling', 'Update=at-once'));
  await fleet.clock.advance(500);
  assert.deepEqual(await fleet.active(logs), ['deactivating', 'deactivating', 'deactivating']);
});

test('the instances of a template take turns over all machines, others do not wait for them', async () => {
  const names = [1, 2, 3, 4].map((index) => parseUnitName(`web@${index}.service`));
  const place = async (text: string) => {
    for (const [index, name] of names.entries()) await fleet.place(name, fleet.at(index), text);
    await fleet.place(service('plain'), fleet.at(0), text);
  };
  await place(version(0));
  const running = async (name: UnitName) => (await fleet.active(name)).filter((state) => state === 'active').length;
  const all = async () => (await Promise.all(names.map(running))).reduce((sum, count) => sum + count, 0);
  await fleet.until(async () => (await all()) === 4, 'all run');
  await fleet.advance(500);
  let least = 4;
  fleet.onStep = async () => {
    least = Math.min(least, await all());
    assert.ok(least >= 3, 'no two instances are down together');
  };
  await place(version(1));
  await fleet.advance(1500);
  assert.equal((await fleet.versions(service('plain'), [version(0), version(1)]))[0], 1);
  const versions = async (name: UnitName) => Math.max(...(await fleet.versions(name, [version(0), version(1)])));
  await fleet.until(async () => {
    const found = await Promise.all(names.map(versions));
    return found.every((each) => each === 1) && (await all()) === 4;
  }, 'all replaced');
  await untilFree();
  assert.equal(least, 3);
});

test('what fails in its new version keeps the turn and the others as they are, until it is changed again', async () => {
  await runGlobal();
  await fleet.putGlobal(logs, bad);
  await fleet.until(async () => (await fleet.active(logs)).includes('failed'), 'failed');
  await fleet.advance(30_000);
  const active = await fleet.active(logs);
  assert.deepEqual([...active].sort(), ['active', 'active', 'failed']);
  const at = active.indexOf('failed');
  assert.deepEqual(await fleet.turns(), [`logs.service logs.service ${at + 1}`]);
  const downs = watchDowns(logs);
  await fleet.putGlobal(logs, v2);
  await untilAll(logs, 2);
  await untilFree();
  assert.equal(downs.most(), 1);
});

test('what fails a moment after it was active keeps the turn, too', async () => {
  await runGlobal();
  await fleet.putGlobal(logs, globalVersion(9, '/bin/sleep 1'));
  await fleet.until(async () => (await fleet.active(logs)).includes('active'), 'started');
  const holder = async () => Number((await fleet.turns())[0]?.split(' ')[2]) - 1;
  await fleet.until(async () => (await fleet.turns()).length === 1, 'begun');
  const at = await holder();
  await fleet.until(async () => (await fleet.versions(logs, texts))[at] === -1, 'replaced');
  fleet.at(at).unitManager.fail(logs);
  await fleet.advance(10_000);
  assert.equal(await holder(), at);
  await fleet.putGlobal(logs, v0);
  await untilAll(logs, 0);
  await untilFree();
});

for (const [says, act] of [
  ['stopped', () => fleet.putGlobal(logs, bad, { desiredState: 'loaded' })],
  ['unloaded', () => fleet.putGlobal(logs, bad, { desiredState: 'inactive' })],
  ['destroyed', () => fleet.destroyGlobal(logs)],
] as const)
  test(`a unit that is ${says} while some wait and one has failed leaves no turn behind`, async () => {
    await runGlobal();
    await fleet.putGlobal(logs, bad);
    await fleet.until(async () => (await fleet.active(logs)).includes('failed'), 'failed');
    await act();
    await untilFree();
    await fleet.advance(5000);
    assert.deepEqual(await fleet.turns(), []);
    assert.ok((await fleet.active(logs)).every((state) => state !== 'active'));
  });

test('an instance that moves away gives its turn back', async () => {
  const [one, two] = [parseUnitName('web@1.service'), parseUnitName('web@2.service')];
  await fleet.place(one, fleet.at(0), version(0));
  await fleet.place(two, fleet.at(1), version(0));
  await fleet.until(async () => (await fleet.active(two))[1] === 'active', 'up');
  await fleet.place(one, fleet.at(0), version(9, [], '/bin/false'));
  await fleet.until(async () => (await fleet.active(one))[0] === 'failed', 'failed');
  await fleet.place(two, fleet.at(1), version(1));
  await fleet.advance(3000);
  assert.deepEqual(await fleet.versions(two, [version(0), version(1)]), [-1, 0, -1]);
  await fleet.place(one, fleet.at(0), version(9, [], '/bin/false'), { isLeaving: true });
  await fleet.until(async () => (await fleet.versions(two, [version(0), version(1)]))[1] === 1, 'replaced');
  await untilFree();
});

test('a change back before its turn leaves a copy as it is', async () => {
  await runGlobal();
  await fleet.putGlobal(logs, bad);
  await fleet.until(async () => (await fleet.active(logs)).includes('failed'), 'failed');
  const stops: string[] = [];
  for (const [index, state] of (await fleet.active(logs)).entries())
    if (state === 'active') fleet.at(index).unitManager.onChange(() => stops.push(`${index}`));
  await fleet.putGlobal(logs, v0);
  await untilAll(logs, 0);
  await untilFree();
  assert.deepEqual(stops, []);
  await fleet.putGlobal(logs, v0);
  await fleet.clock.advance(500);
  assert.ok(!(await fleet.active(logs)).includes('active'), 'what is ordered after that is a restart');
});

test('content that changes again while a copy is replaced is taken up under the same turn', async () => {
  await runGlobal();
  const downs = watchDowns(logs);
  await fleet.putGlobal(logs, v1);
  await fleet.until(async () => (await fleet.active(logs)).includes('deactivating'), 'begun');
  await fleet.putGlobal(logs, v2);
  await untilAll(logs, 2);
  await untilFree();
  assert.equal(downs.most(), 1);
});

test('a oneshot’s turn is over when it has ended well', async () => {
  const job = (number: number, command: string) =>
    `[Unit]\nDescription=${number}\n[Service]\nType=oneshot\nExecStart=${command}\n[X-Fleet]\nGlobal=true\nUpdate=rolling\n`;
  await fleet.putGlobal(logs, job(0, '/bin/sleep 3'));
  await fleet.advance(5000);
  await fleet.putGlobal(logs, job(1, '/bin/sleep 3'));
  fleet.onStep = async () => {
    const active = await fleet.active(logs);
    assert.ok(active.filter((state) => state !== 'inactive').length <= 1);
  };
  const all = [job(0, '/bin/sleep 3'), job(1, '/bin/sleep 3')];
  await fleet.until(async () => (await fleet.versions(logs, all)).every((each) => each === 1), 'replaced');
  await untilFree();
  await fleet.putGlobal(logs, job(2, '/bin/false'));
  await fleet.until(async () => (await fleet.turns()).length === 1, 'begun');
  fleet.onStep = async () => {};
  await fleet.advance(10_000);
  assert.equal((await fleet.active(logs)).filter((state) => state === 'failed').length, 1);
});

test('fleetd that is killed with the turn goes on with it when it is back, and the others wait', async () => {
  await runGlobal();
  const downs = watchDowns(logs);
  await fleet.putGlobal(logs, v1);
  await fleet.until(async () => (await fleet.active(logs)).includes('deactivating'), 'begun');
  const holder = fleet.at((await fleet.active(logs)).indexOf('deactivating'));
  await fleet.kill(holder);
  await fleet.advance(10_000);
  assert.deepEqual(await fleet.turns(), [`logs.service logs.service ${Number(holder.id)}`]);
  await fleet.startAgent(holder);
  await untilAll(logs, 1);
  await untilFree();
  assert.equal(downs.most(), 1);
});

test('a machine that dies with the turn loses it with its lease', async () => {
  await runGlobal();
  await fleet.putGlobal(logs, v1);
  await fleet.until(async () => (await fleet.active(logs)).includes('deactivating'), 'begun');
  const holder = fleet.at((await fleet.active(logs)).indexOf('deactivating'));
  await fleet.powerOff(holder);
  await fleet.advance(20_000);
  assert.equal((await fleet.versions(logs, texts)).filter((each) => each === 0).length, 3);
  await fleet.until(async () => (await fleet.versions(logs, texts)).filter((each) => each === 1).length === 2, 'rest');
  await fleet.startAgent(holder);
  await untilAll(logs, 1);
  await untilFree();
});

test('without contact the old copy goes on where one waits, and so does the new one where the turn is', async () => {
  await runGlobal();
  await fleet.putGlobal(logs, v1);
  await fleet.until(async () => (await fleet.versions(logs, texts)).includes(1), 'begun');
  await fleet.until(async () => (await fleet.active(logs)).every((state) => state === 'active'), 'up');
  for (const { store } of fleet.members) store.cut();
  const before = await fleet.versions(logs, texts);
  await fleet.advance(60_000);
  assert.deepEqual(await fleet.active(logs), ['active', 'active', 'active']);
  assert.deepEqual(await fleet.versions(logs, texts), before);
  for (const { store } of fleet.members) store.heal();
  await untilAll(logs, 1);
  await untilFree();
});

test('a host that waited for its turn when it was powered off starts its old copy where there is no store', async () => {
  await runGlobal();
  await fleet.putGlobal(logs, bad);
  await fleet.until(async () => (await fleet.active(logs)).includes('failed'), 'failed');
  await fleet.advance(1000);
  const waiting = fleet.at((await fleet.active(logs)).indexOf('active'));
  await fleet.powerOff(waiting);
  waiting.store.cut();
  await fleet.startAgent(waiting);
  const index = fleet.members.indexOf(waiting);
  await fleet.until(async () => (await fleet.active(logs))[index] === 'active', 'brought back');
  assert.equal((await fleet.versions(logs, texts))[index], 0);
});

/** Has the first change that each machine makes of a turn, and its first deletion, end without an answer. */
function loseTurns(how: 'loseNextReply' | 'loseNextRequest'): void {
  for (const { store } of fleet.members) {
    const { transact } = store;
    const lost = new Set<string>();
    store.transact = (transaction) => {
      for (const operation of transaction.success) {
        const key = operation.kind === 'put' ? operation.key : operation.from;
        if (key !== turn || operation.kind === 'range' || lost.has(operation.kind)) continue;
        store[how]();
        lost.add(operation.kind);
      }
      return transact.call(store, transaction);
    };
  }
}

for (const how of ['loseNextReply', 'loseNextRequest'] as const)
  test(`an answer that is lost leaves no turn behind: ${how}`, async () => {
    await runGlobal();
    loseTurns(how);
    const downs = watchDowns(logs);
    await fleet.putGlobal(logs, v1);
    await untilAll(logs, 1);
    await untilFree();
    assert.equal(downs.most(), 1);
  });

test('a turn that comes late is given back', async () => {
  await runGlobal();
  loseTurns('loseNextRequest');
  await fleet.putGlobal(logs, v1);
  await untilAll(logs, 1);
  await untilFree();
  const { id } = fleet.at(0);
  const lease = (await fleet.store.range({ from: keys.machine(id) })).kvs[0]?.lease ?? '';
  await fleet.write({ kind: 'put', key: turn, value: encodeRecord({ machine: id, name: logs }), lease });
  await untilFree();
});

/** Has version 9 fail where the turn is first. Returns that machine's place. */
async function failFirst(): Promise<number> {
  await fleet.putGlobal(logs, bad);
  await fleet.until(async () => (await fleet.active(logs)).includes('failed'), 'failed');
  await fleet.advance(1000);
  return (await fleet.active(logs)).indexOf('failed');
}

test('a machine whose lease lives for another time from now on keeps its turn', async () => {
  await runGlobal();
  const at = await failFirst();
  await fleet.kill(fleet.at(at));
  await fleet.startAgent(fleet.at(at), 45);
  await fleet.advance(60_000);
  assert.deepEqual(await fleet.turns(), [`logs.service logs.service ${at + 1}`]);
  assert.equal((await fleet.active(logs)).filter((state) => state === 'active').length, 2);
});

test('a machine that is frozen gives its turn back', async () => {
  await runGlobal();
  const at = await failFirst();
  await fleet.kill(fleet.at(at));
  await fleet.write({ kind: 'delete', from: keys.cluster });
  await fleet.startAgent(fleet.at(at));
  await fleet.until(async () => !(await fleet.turns()).includes(`logs.service logs.service ${at + 1}`), 'given back');
  assert.notEqual(fleet.at(at).agent?.findFreezeReason(), undefined);
});

test('a copy that is stopped for the loss of contact starts with the new content when it is back', async () => {
  const alone = ['Global=true', 'OnPartition=stop'];
  await fleet.putGlobal(logs, version(0, alone));
  const all = [0, 1].map((number) => version(number, alone));
  await untilAll(logs, 0, all);
  await fleet.advance(1000);
  fleet.at(0).store.cut();
  await fleet.putGlobal(logs, version(1, alone));
  await fleet.until(async () => (await fleet.versions(logs, all)).join() === '0,1,1', 'replaced elsewhere');
  await fleet.until(async () => (await fleet.active(logs))[0] === 'inactive', 'stopped');
  fleet.at(0).store.heal();
  await untilAll(logs, 1, all);
  await untilFree();
});

test('the row of a copy that waits for its turn says so, and has no error', async () => {
  await runGlobal();
  const at = await failFirst();
  const rows = await Promise.all(fleet.members.map((member) => fleet.findRow(logs, member)));
  assert.deepEqual(
    rows.map((row) => [row?.active, row?.waitsFor, row?.error]),
    rows.map((_, index) => (index === at ? ['failed', undefined, undefined] : ['active', 'turn', undefined])),
  );
  await fleet.putGlobal(logs, v0);
  await untilAll(logs, 0);
  await fleet.until(async () => (await fleet.findRow(logs, fleet.at(at + 1)))?.waitsFor === undefined, 'no longer');
});

test('nothing is asked of the store while a unit waits', async () => {
  await runGlobal();
  await fleet.putGlobal(logs, bad);
  await fleet.until(async () => (await fleet.active(logs)).includes('failed'), 'failed');
  await fleet.advance(2000);
  const { revision } = fleet.store;
  let calls = 0;
  for (const { store } of fleet.members) {
    const { transact, range } = store;
    store.transact = (transaction) => {
      calls++;
      return transact.call(store, transaction);
    };
    store.range = (request) => {
      calls++;
      return range.call(store, request);
    };
  }
  await fleet.advance(120_000);
  assert.deepEqual([fleet.store.revision, calls], [revision, 0]);
});
