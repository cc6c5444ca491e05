import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { type MachineId, parseMachineId } from '@flotilla/cluster';
import type { Engine } from '@flotilla/engine';
import {
  decodeRecord,
  type KeyValue,
  keys,
  listLosses,
  orderRelease,
  type PlacementRecord,
  Registration,
  ranges,
  type SavedLease,
  type Store,
} from '@flotilla/registry';
import { silentLogger, systemClock } from '@flotilla/runtime';
import { parseUnitName, type UnitName } from '@flotilla/unit';
import { etcdMissing, TestEtcd } from './etcd.js';
import { launch, startEngine, untilSo } from './etcd-host.js';
import { openStore } from './test-stores.js';

/** etcd grants no shorter leases. */
const ttlSeconds = 2;

/** What the leader takes it for: its patience with a busy machine. */
const agentTtlSeconds = 4;

/** A machine that keeps its lease, and runs nothing. */
class Member {
  readonly id: MachineId;
  readonly #store: Store;
  #registration: Registration;
  #saved: SavedLease | undefined;

  constructor(store: Store, id: MachineId) {
    this.#store = store;
    this.id = id;
    this.#registration = this.comeBack();
  }

  comeBack(): Registration {
    this.#registration = new Registration({
      store: this.#store,
      clock: systemClock,
      log: silentLogger,
      machine: this.id,
      record: { address: '', metadata: {}, version: '1', instance: this.id, boot: '1' },
      ttlSeconds,
      storage: {
        load: async () => this.#saved,
        save: async (saved) => {
          this.#saved = saved;
        },
      },
    });
    this.#registration.start();
    return this.#registration;
  }

  /** Its lease runs out. */
  fallSilent(): Promise<void> {
    return this.#registration.close();
  }

  isFresh(): boolean {
    return this.#registration.isFresh();
  }
}

describe('law 10: false alarms move nothing', { skip: etcdMissing() ?? false }, () => {
  let etcd: TestEtcd;
  let store: Store;
  let prefix = '';
  let count = 0;
  let engine: Engine;
  const members: Member[] = [];
  before(async () => {
    etcd = await TestEtcd.start();
  });
  after(() => etcd.remove());
  afterEach(async () => {
    await engine.close({ resign: false });
    for (const member of members.splice(0)) await member.fallSilent();
  });

  const read = async (range: { from: string; to?: string }) => (await store.range(range)).kvs;
  const nameOf = (index: number) => parseUnitName(`u${index}.service`);
  const revisionOf = ({ key, modRevision }: KeyValue) => `${key} @${modRevision}`;
  const placements = async () => (await read(ranges.placements)).map(revisionOf);
  const states = async () =>
    new Map((await listLosses({ store, log: silentLogger })).map(({ machine, record }) => [machine, record.state]));

  async function findMachine(name: UnitName): Promise<MachineId | undefined> {
    const [kv] = await read({ from: keys.placement(name) });
    return kv === undefined ? undefined : decodeRecord<PlacementRecord>(kv.key, kv.value).machine;
  }

  /** So many machines, each with one unit. */
  async function begin(size: number): Promise<Member[]> {
    prefix = `law-10/${count++}`;
    store = openStore({ hosts: [etcd.url], prefix });
    for (let index = 0; index < size; index++) members.push(new Member(store, parseMachineId(`${index}`.repeat(32))));
    await untilSo('all are registered', () => members.every((member) => member.isFresh()));
    engine = startEngine(store, parseMachineId('e'.repeat(32)), agentTtlSeconds);
    for (let index = 0; index < size; index++) {
      await launch(store, nameOf(index));
      await untilSo('it is placed', async () => (await findMachine(nameOf(index))) !== undefined);
    }
    return members;
  }

  it('most machines fall silent: nothing moves but what is released, until enough are back', async () => {
    const [one, two, three] = await begin(5);
    assert.ok(one !== undefined && two !== undefined && three !== undefined);
    const unitByMachine = new Map<MachineId, UnitName>();
    for (let index = 0; index < 5; index++) {
      const machine = await findMachine(nameOf(index));
      if (machine !== undefined) unitByMachine.set(machine, nameOf(index));
    }
    const homeOf = ({ id }: Member) => findMachine(unitByMachine.get(id) ?? nameOf(9));
    const layout = await placements();
    await Promise.all([one, two, three].map((member) => member.fallSilent()));
    const isHeld = async (machines: readonly Member[]) => {
      const seen = await states();
      return machines.every(({ id }) => seen.get(id) === 'brake');
    };
    await untilSo('all three are held back', () => isHeld([one, two, three]));
    assert.deepEqual(await placements(), layout);

    assert.equal(await orderRelease({ store, log: silentLogger }, one.id), 'ordered');
    await untilSo('the unit of the released one moves', async () => (await homeOf(one)) !== one.id);
    assert.equal(await isHeld([two, three]), true);
    assert.deepEqual(await read(ranges.releases), []);

    two.comeBack();
    await untilSo('the third one is waited for no longer', async () => (await homeOf(three)) !== three.id);
    assert.equal(await homeOf(two), two.id);
    assert.deepEqual(
      [...(await states())],
      [
        [one.id, 'lost'],
        [three.id, 'lost'],
      ],
    );
  });

  it('every lease ends at once, the leader’s too, as when the leader of etcd 3.4.23 is frozen and thawed', async () => {
    const machines = await begin(3);
    const layout = await placements();
    const holders = [...(await read(ranges.machines)), ...(await read({ from: keys.leader }))];
    const revisions = holders.map(({ createRevision }) => createRevision);
    await Promise.all(holders.map(({ lease }) => store.revokeLease(lease ?? '')));
    const isAnew = async () => {
      const now = [...(await read(ranges.machines)), ...(await read({ from: keys.leader }))];
      return now.length === holders.length && now.every(({ createRevision }) => !revisions.includes(createRevision));
    };
    await untilSo('all are back, with new leases, and somebody leads', isAnew);
    await launch(store, parseUnitName('new.service'));
    await untilSo(
      'the new leader has decided',
      async () => (await findMachine(parseUnitName('new.service'))) !== undefined,
    );
    assert.ok(machines.every((member) => member.isFresh()));
    assert.deepEqual(
      (await placements()).filter((line) => !line.includes('new.service')),
      layout,
    );
  });
});
