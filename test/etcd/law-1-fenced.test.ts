import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { type MachineId, parseMachineId } from '@flotilla/cluster';
import type { Engine } from '@flotilla/engine';
import {
  decodeRecord,
  keys,
  type PlacementRecord,
  type Revision,
  type Store,
  type Transaction,
  type TransactionResult,
} from '@flotilla/registry';
import { parseUnitName, type UnitName } from '@flotilla/unit';
import { etcdMissing, TestEtcd } from './etcd.js';
import { joinMachine, launch, sleeper, startEngine, untilSo } from './etcd-host.js';
import { openStore, time } from './test-stores.js';

const [one, two] = [parseMachineId('1'.repeat(32)), parseMachineId('2'.repeat(32))];
const web = parseUnitName('web.service');

/** A transaction of a leader's plan, and what became of it. */
interface Planned {
  readonly transaction: Transaction;
  readonly result: TransactionResult;
}

/** An engine whose plans can be held up on their way to the store. */
class WatchedEngine {
  readonly plans: Planned[] = [];
  /** Awaited before a plan is sent. */
  beforePlan: (transaction: Transaction) => Promise<void> = async () => {};
  readonly engine: Engine;
  #release = () => {};

  constructor(store: Store, machine: MachineId) {
    const transact = async (transaction: Transaction) => {
      if (!isPlan(transaction)) return store.transact(transaction);
      await this.beforePlan(transaction);
      const result = await store.transact(transaction);
      this.plans.push({ transaction, result });
      return result;
    };
    const watched = new Proxy(store, {
      get(target, name) {
        if (name === 'transact') return transact;
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    this.engine = startEngine(watched, machine);
  }

  /** Holds the first plan back until the result is called. */
  holdFirstPlan(): { readonly isHeld: () => boolean; readonly release: () => void } {
    let [isHeld, hasHeld] = [false, false];
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
      this.#release = resolve;
    });
    this.beforePlan = async () => {
      if (hasHeld) return;
      [isHeld, hasHeld] = [true, true];
      await released;
    };
    return { isHeld: () => isHeld, release };
  }

  /** Ends it, also with a plan that is still held back because a test has failed. */
  async close(): Promise<void> {
    this.#release();
    await this.engine.close({ resign: false });
  }
}

/** What only a leader writes: it compares the leader key and puts something under other keys. */
function isPlan({ compares = [], success }: Transaction): boolean {
  return compares.length > 1 && success.some(({ kind }) => kind !== 'range');
}

const fenceOf = ({ compares = [] }: Transaction) => compares.find(({ key }) => key === keys.leader)?.equals;

describe('law 1: every write of the leader is fenced', { skip: etcdMissing() ?? false }, () => {
  let etcd: TestEtcd;
  let store: Store;
  let prefix = '';
  let count = 0;
  const engines: WatchedEngine[] = [];
  before(async () => {
    etcd = await TestEtcd.start();
  });
  after(() => etcd.remove());
  afterEach(async () => {
    for (const engine of engines.splice(0)) await engine.close();
  });

  function open(): Store {
    return openStore({ hosts: [etcd.url], prefix });
  }

  function begin(): void {
    prefix = `law-1/${count++}`;
    store = open();
  }

  function engine(machine: MachineId): WatchedEngine {
    const made = new WatchedEngine(open(), machine);
    engines.push(made);
    return made;
  }

  async function lead(machine: MachineId): Promise<WatchedEngine> {
    const made = engine(machine);
    await untilSo('it leads', () => made.engine.isLeading);
    return made;
  }

  async function findPlacement(name: UnitName): Promise<{ machine: MachineId; at: Revision } | undefined> {
    const [kv] = (await store.range({ from: keys.placement(name) })).kvs;
    if (kv === undefined) return undefined;
    return { machine: decodeRecord<PlacementRecord>(kv.key, kv.value).machine, at: kv.modRevision };
  }

  const untilPlaced = (name: UnitName) =>
    untilSo('it is placed', async () => (await findPlacement(name)) !== undefined);

  async function leaseOfLeader(): Promise<string> {
    const [kv] = (await store.range({ from: keys.leader })).kvs;
    return kv?.lease ?? '';
  }

  it('a plan compares the leader, each unit as it was read, its placement and the machine it goes to', async () => {
    begin();
    await joinMachine(store, one);
    const { plans } = await lead(one);
    await launch(store, web);
    await untilSo('its plan is answered', () => plans.length > 0);
    const [unit] = (await store.range({ from: keys.unit(web) })).kvs;
    const [machine] = (await store.range({ from: keys.machine(one) })).kvs;
    const [leader] = (await store.range({ from: keys.leader })).kvs;
    assert.deepEqual(
      plans[0]?.transaction.compares?.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
      [
        { key: keys.leader, on: 'create-revision', equals: leader?.createRevision },
        { key: keys.machine(one), on: 'create-revision', equals: machine?.createRevision },
        { key: keys.placement(web), on: 'mod-revision', equals: 0 },
        { key: keys.unit(web), on: 'mod-revision', equals: unit?.modRevision },
      ],
    );
  });

  it('a plan that comes late, from a leader that was deposed, is refused', async () => {
    begin();
    await joinMachine(store, one);
    const old = await lead(one);
    const held = old.holdFirstPlan();
    await launch(store, web);
    await untilSo('its plan is under way', held.isHeld);
    await store.revokeLease(await leaseOfLeader());
    const next = engine(two);
    const heldToo = next.holdFirstPlan();
    await untilSo('its successor has decided, and written nothing yet', heldToo.isHeld);
    held.release();
    await untilSo('its plan is answered', () => old.plans.length > 0);
    assert.equal(old.plans[0]?.result.succeeded, false);
    assert.equal(await findPlacement(web), undefined);
    heldToo.release();
    await untilSo('its plan is answered', () => next.plans.length > 0);
    assert.equal(next.plans[0]?.result.succeeded, true);
  });

  it('a plan about a unit that has changed is refused and decided again; the other units of its batch go on', async () => {
    begin();
    await joinMachine(store, one, { role: 'web' });
    await joinMachine(store, two, { role: 'db' });
    const others = ['a', 'b', 'c'].map((name) => parseUnitName(`${name}.service`));
    for (const name of [web, ...others]) await launch(store, name, `${sleeper}[X-Fleet]\nMachineMetadata=role=web\n`);
    const leader = engine(one);
    const held = leader.holdFirstPlan();
    await untilSo('its plan is under way', held.isHeld);
    await launch(store, web, `${sleeper}[X-Fleet]\nMachineMetadata=role=db\n`);
    held.release();
    for (const name of [web, ...others]) await untilPlaced(name);
    assert.equal(leader.plans[0]?.result.succeeded, false);
    assert.equal((await findPlacement(web))?.machine, two);
    for (const name of others) assert.equal((await findPlacement(name))?.machine, one);
  });

  it('a plan for a machine that has registered anew is refused and decided again', async () => {
    begin();
    await joinMachine(store, one, { role: 'web' });
    const leader = await lead(one);
    const held = leader.holdFirstPlan();
    await launch(store, web, `${sleeper}[X-Fleet]\nMachineMetadata=role=web\n`);
    await untilSo('its plan is under way', held.isHeld);
    await store.transact({ success: [{ kind: 'delete', from: keys.machine(one) }] });
    await joinMachine(store, one, { role: 'db' });
    await joinMachine(store, two, { role: 'web' });
    held.release();
    await untilPlaced(web);
    assert.equal(leader.plans[0]?.result.succeeded, false);
    assert.equal((await findPlacement(web))?.machine, two);
  });

  it('two engines that are deposed over and over never both write', async () => {
    begin();
    await joinMachine(store, one);
    const rivals = [engine(one), engine(two)];
    for (const rival of rivals) rival.beforePlan = () => time.elapse(30);
    const written = () =>
      rivals
        .flatMap(({ plans }) => plans.filter(({ result }) => result.succeeded))
        .sort((a, b) => a.result.revision - b.result.revision)
        .map(({ transaction, result }) => ({ fence: fenceOf(transaction) ?? 0, at: result.revision }));
    const countLeaders = () => new Set(written().map(({ fence }) => fence)).size;
    const names: UnitName[] = [];
    // A leader may be deposed each time before it writes: then the one that writes at last is the only one.
    while (names.length < 12 || (names.length < 60 && countLeaders() < 2)) {
      const name = parseUnitName(`unit${names.length}.service`);
      await untilSo('somebody leads', async () => (await leaseOfLeader()) !== '');
      await Promise.all([
        launch(store, name),
        time.elapse(20 * (names.length % 4)).then(async () => store.revokeLease(await leaseOfLeader())),
      ]);
      names.push(name);
    }
    for (const name of names) await untilPlaced(name);
    assert.ok(countLeaders() > 1, 'several leaders have written');
    const fences = written().map(({ fence }) => fence);
    assert.deepEqual(
      fences,
      fences.toSorted((a, b) => a - b),
      'nobody writes after his successor has',
    );
    for (const { fence, at } of written()) assert.ok(fence <= at);
  });
});
