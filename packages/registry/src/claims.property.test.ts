import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LaunchState } from '@flotilla/cluster';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { parseUnitName } from '@flotilla/unit';
import fc from 'fast-check';
import { actOnStore, claimants, emptyRow, modelFiles, owners, readModels, sideOf } from './claims-cluster.js';
import { actOnModel, emptyModel, type ModelAct, type ModelAnswer, type ModelUnit } from './claims-model.js';
import { joinDirectory, writeDirectoryHost } from './directory-hosts.js';
import { MemoryStore } from './memory-store.js';
import { type Store, StoreError, type Transaction } from './store.js';

const name = parseUnitName('web.service');

const sides = fc.record({
  // The first one more often: two directories that both have a unit are rarer than two hosts.
  owner: fc.constantFrom(...owners, ...owners.slice(0, 1), ...owners.slice(0, 1)),
  claimant: fc.constantFrom(...claimants),
});
const file = fc.constantFrom(...modelFiles);
const state = fc.constantFrom<LaunchState>('inactive', 'loaded', 'launched');

const act: fc.Arbitrary<ModelAct> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(sides, file, fc.boolean())
      .map(([side, file, isExplicit]) => ({ kind: 'hold' as const, ...side, file, isExplicit })),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(sides, fc.boolean())
      .map(([side, isExplicit]) => ({ kind: 'drop' as const, ...side, isExplicit })),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('adopt' as const), owner: fc.constantFrom(undefined, ...owners) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('put' as const), file, state }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('ask' as const), state }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'delete' as const }) },
  { weight: 1, arbitrary: sides.map((side) => ({ kind: 'leave' as const, ...side })) },
);

test('whatever directories, apply and the API do to a unit, one after the other, is what the model says; what changes nothing writes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        act.filter(({ kind }) => kind !== 'leave'),
        { maxLength: 25 },
      ),
      async (acts) => {
        const store = new MemoryStore({ clock: new TestClock() });
        await joinAll(store);
        let model = emptyModel;
        for (const each of acts) {
          const before = store.revision;
          const { after, outcome } = actOnModel(model, each);
          assert.equal(await actOnStore(store, name, each), outcome);
          assert.deepEqual(await readUnit(store), after);
          if (isEqual(after, model)) assert.equal(store.revision, before, `${each.kind} wrote, and was ${outcome}`);
          model = after;
        }
      },
    ),
  );
});

const anyRace = fc.record({
  first: fc.array(act, { maxLength: 6 }),
  racing: fc
    .uniqueArray(act, { minLength: 2, maxLength: 4, selector: whoActs })
    .map((acts) => acts.map((each) => [each])),
});

const [here = ''] = owners;
const holdHere = (claimant: string, file: string): ModelAct => ({
  kind: 'hold',
  owner: here,
  claimant,
  file,
  isExplicit: false,
});

/** What hosts with one directory do at once: those that claim the unit, and those that see their copy of it for the first time. */
const role = fc.constantFrom(
  'drops',
  'drops',
  'changes',
  'rests',
  'joins',
  'joins-late',
  'joins-and-drops',
  'joins-and-leaves',
  'away',
);
const closeRace = fc
  .record({
    roles: fc.array(role, { minLength: 2, maxLength: 3 }),
    unit: fc.constantFrom('as-claimed', 'as-claimed', 'just-adopted', 'gone'),
  })
  .map(({ roles, unit }) => {
    const first: ModelAct[] = [];
    if (unit === 'just-adopted')
      first.push({ kind: 'put', file: 'a1', state: 'launched' }, { kind: 'adopt', owner: here });
    const racing: ModelAct[][] = [];
    for (const [at, role] of roles.entries()) {
      const claimant = claimants[at] ?? '';
      const drop: ModelAct = { kind: 'drop', owner: here, claimant, isExplicit: false };
      if (role === 'drops' || role === 'changes' || role === 'rests') first.push(holdHere(claimant, 'a1'));
      if (role === 'drops') racing.push([drop]);
      else if (role === 'changes' || role === 'joins-late') racing.push([holdHere(claimant, 'b1')]);
      else if (role === 'joins') racing.push([holdHere(claimant, 'a1')]);
      else if (role === 'joins-and-drops') racing.push([holdHere(claimant, 'a1'), drop]);
      else if (role === 'joins-and-leaves')
        racing.push([holdHere(claimant, 'a1')], [{ kind: 'leave', owner: here, claimant }]);
    }
    // Claims may outlive the unit.
    if (unit === 'gone') first.push({ kind: 'adopt', owner: undefined }, { kind: 'delete' });
    return { first, racing };
  });

/** What an act said; `undefined`: it does not know. */
interface Done {
  readonly act: ModelAct;
  readonly outcome: string | undefined;
}

test('acts that race come out as in some order, one after the other, although answers are lost and requests come late', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(anyRace, closeRace),
      fc.array(fc.constantFrom<Fault>('none', 'none', 'none', 'late', 'no-reply', 'no-request'), { maxLength: 12 }),
      fc.scheduler(),
      async ({ first, racing }, faults, scheduler) => {
        const store = new MemoryStore({ clock: new TestClock() });
        for (const each of first) await actOnStore(store, name, each);
        const before = await readUnit(store);
        const stores = { faulty: raced(store, scheduler, [...faults]), sound: raced(store, scheduler, []) };
        // A host writes its row before each pass.
        const storeOf = async (each: ModelAct) => {
          if (each.kind !== 'hold' && each.kind !== 'drop') return stores.sound;
          await writeDirectoryHost({ store: stores.sound, log: silentLogger }, sideOf(each), emptyRow);
          return stores.faulty;
        };
        const done = await scheduler.waitFor(
          Promise.all(
            racing.map(async (acts) => {
              const own: Done[] = [];
              for (const each of acts)
                own.push({
                  act: each,
                  outcome: await outcomeOf(await storeOf(each), each),
                });
              return own;
            }),
          ),
        );
        await scheduler.waitIdle();
        const after = await readUnit(store);
        assert.ok(
          isSomeOrder(before, done, after),
          JSON.stringify({ before: shown(before), done, after: shown(after) }),
        );
      },
    ),
  );
});

/** `late`: the request is carried out at some later time, and nobody answers. */
type Fault = 'none' | 'late' | 'no-reply' | 'no-request';

/** A store whose calls are carried out in an order that the scheduler chooses; writes have the faults, one after the other. */
function raced(store: MemoryStore, scheduler: fc.Scheduler, faults: Fault[]): Store {
  const turn = (what: string) => scheduler.schedule(Promise.resolve(), what);
  const wrapped = {
    range: async (request: Parameters<Store['range']>[0]) => {
      await turn('range');
      return store.range(request);
    },
    transact: async (transaction: Transaction) => {
      await turn('transact');
      const fault = transaction.compares === undefined ? 'none' : (faults.shift() ?? 'none');
      const lost = new StoreError('uncertain', 'no answer');
      if (fault === 'no-request') throw lost;
      if (fault === 'late') {
        void turn('late').then(() => store.transact(transaction));
        throw lost;
      }
      const result = await store.transact(transaction);
      if (fault === 'no-reply') throw lost;
      return result;
    },
  };
  return new Proxy<Store>(store, { get: (of, key) => Reflect.get(key in wrapped ? wrapped : of, key) });
}

/** A host does one thing after the other, and so do the API's users here. */
function whoActs(act: ModelAct): string {
  if (act.kind === 'hold' || act.kind === 'drop') return `${act.owner} ${act.claimant}`;
  return act.kind;
}

async function outcomeOf(store: Store, act: ModelAct): Promise<string | undefined> {
  try {
    return await actOnStore(store, name, act);
  } catch (error) {
    if (error instanceof StoreError && error.kind === 'uncertain') return undefined;
    throw error;
  }
}

/** Whether there is an order of all acts, each actor's own kept, in which the model does and says what the store did and said. */
function isSomeOrder(before: ModelUnit, done: readonly (readonly Done[])[], wanted: ModelUnit): boolean {
  if (done.length === 0) return isEqual(before, wanted);
  return done.some((acts, at) => {
    const [each, ...later] = acts;
    const rest = later.length === 0 ? done.toSpliced(at, 1) : done.with(at, later);
    if (each === undefined) return isSomeOrder(before, rest, wanted);
    const { after, outcome } = actOnModel(before, each.act);
    if (each.outcome === undefined) return isSomeOrder(before, rest, wanted) || isSomeOrder(after, rest, wanted);
    return isSaid(each, { after, outcome }) && isSomeOrder(after, rest, wanted);
  });
}

/** Whose answer is lost is told that a unit which nobody claimed was destroyed, whoever did it. */
function isSaid({ act, outcome }: Done, model: ModelAnswer): boolean {
  const isGone = act.kind === 'drop' && act.isExplicit && model.after.unit === undefined && outcome === 'destroyed';
  return outcome === model.outcome || isGone;
}

async function joinAll(store: Store): Promise<void> {
  for (const owner of owners)
    for (const claimant of claimants) await joinDirectory({ store, log: silentLogger }, { owner, claimant }, emptyRow);
}

async function readUnit(store: Store): Promise<ModelUnit> {
  return (await readModels(store)).get(name) ?? emptyModel;
}

function isEqual(one: ModelUnit, other: ModelUnit): boolean {
  return shown(one) === shown(other);
}

function shown({ unit, claims }: ModelUnit): string {
  return JSON.stringify([unit?.owner, unit?.file, unit?.state, [...claims].sort()]);
}
