import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Cluster,
  isWanted,
  type Machine,
  type MachineId,
  type Placement,
  type StoppingUnit,
  type Unit,
  type WaitReason,
} from '@flotilla/cluster';
import { noRequirements, type Strategy, type UnitName } from '@flotilla/unit';
import fc from 'fast-check';
import {
  arbitraryId,
  arbitraryMachine,
  arbitraryName,
  arbitraryPlacement,
  arbitraryStopping,
  arbitraryStrategy,
  arbitraryUnit,
  clusters,
  machineIds,
  unitNames,
} from './arbitrary-cluster-harness.js';
import { ClusterIndex } from './cluster-index.js';
import type { Decision } from './plan.js';
import { isLostTo } from './rules-oracle.js';
import { decide, schedule } from './schedule.js';

/** Something that happens to a cluster, with its text for the counterexample. */
interface Step {
  readonly take: (history: History) => void;
  readonly [fc.toStringMethod]: () => string;
}

/** What becomes of a plan: some of it is refused, maybe because its units are gone or ask nothing by now; or the leader is. */
type Outcome = 'all' | 'some' | 'destroyed' | 'plain' | 'new leader';

type Mutable<T> = T extends ReadonlyMap<infer K, infer V> ? Map<K, V> : T extends ReadonlySet<infer E> ? Set<E> : T;

/** A leader's index, what it was told of, and beside it the same cluster kept by hand. */
class History {
  readonly units: Mutable<Cluster['units']>;
  readonly placements: Mutable<Cluster['placements']>;
  readonly leaving: Mutable<Cluster['leaving']>;
  readonly machines: Mutable<Cluster['machines']>;
  readonly away: Mutable<Cluster['away']>;
  readonly stopping: Mutable<Cluster['stopping']>;
  readonly unreadable: { readonly units: Set<UnitName>; readonly machines: Set<MachineId> };
  strategy: Strategy;
  #index: ClusterIndex;
  #touched = new Set<UnitName>();
  /** Why units wait, as the leader has written it. */
  #reasons = new Map<UnitName, WaitReason>();
  /** Later than all that clusters are drawn with. */
  #revision = 10;

  constructor(start: Cluster) {
    this.units = new Map([...start.units].map(([name, unit]) => [name, asMirrored(unit)]));
    this.placements = new Map(start.placements);
    this.leaving = new Map(start.leaving);
    this.machines = new Map(start.machines);
    this.away = new Set(start.away);
    this.stopping = new Map(start.stopping);
    this.unreadable = { units: new Set(start.unreadable.units), machines: new Set(start.unreadable.machines) };
    this.strategy = start.strategy;
    this.#index = this.#takeOver();
  }

  setUnit(name: UnitName, unit: Unit | undefined): void {
    const seen = unit && asMirrored(unit);
    setOrDelete(this.units, name, seen);
    this.#index.setUnit(name, seen);
  }

  setPlacement(name: UnitName, placement: Placement | undefined): void {
    setOrDelete(this.placements, name, placement);
    this.#index.setPlacement(name, placement);
  }

  setLeaving(name: UnitName, machines: ReadonlySet<MachineId> | undefined): void {
    setOrDelete(this.leaving, name, machines);
    this.#index.setLeaving(name, machines);
  }

  setMachine(id: MachineId, machine: Machine | undefined): void {
    setOrDelete(this.machines, id, machine);
    this.#index.setMachine(id, machine);
  }

  setAway(id: MachineId, isAway: boolean): void {
    addOrDelete(this.away, id, isAway);
    this.#index.setAway(id, isAway);
  }

  setStopping(name: UnitName, stopping: StoppingUnit | undefined): void {
    setOrDelete(this.stopping, name, stopping);
    this.#index.setStopping(name, stopping);
  }

  setUnreadableMachine(id: MachineId, isUnreadable: boolean): void {
    addOrDelete(this.unreadable.machines, id, isUnreadable);
    this.#index.setUnreadableMachine(id, isUnreadable);
  }

  setUnreadableUnit(name: UnitName, isUnreadable: boolean): void {
    addOrDelete(this.unreadable.units, name, isUnreadable);
    this.#index.setUnreadableUnit(name, isUnreadable);
  }

  setStrategy(strategy: Strategy): void {
    this.strategy = strategy;
    this.#index.setStrategy(strategy);
  }

  /** Decides about what was touched, checks that against deciding about all, and carries it out. */
  decide(outcome: Outcome, isRefused: (at: number) => boolean): void {
    const names = this.#touched;
    this.#touched = new Set();
    const plan = decide(this.#index, names);
    const full = schedule(this.#cluster());
    assert.deepEqual(plan.decisions, full.decisions);
    for (const name of plan.lookedAt) this.#reasons.delete(name);
    for (const [name, reason] of [...plan.blocked, ...plan.idleGlobals]) this.#reasons.set(name, reason);
    assert.deepEqual(this.#reasons, new Map([...full.blocked, ...full.idleGlobals]));
    const refused = new Set(
      plan.decisions.map(({ unit }) => unit).filter((_, at) => outcome !== 'all' && isRefused(at)),
    );
    for (const decision of plan.decisions) if (!refused.has(decision.unit)) this.#carryOut(decision);
    assert.deepEqual(this.#index.cluster, this.#cluster());
    if (outcome === 'new leader') this.#index = this.#takeOver();
    for (const name of refused) {
      const unit = this.units.get(name);
      if (outcome === 'destroyed') this.setUnit(name, undefined);
      if (outcome === 'plain' && unit !== undefined) this.setUnit(name, { ...unit, requirements: noRequirements });
    }
    this.#index.touchRelatives(refused);
    for (const name of refused) this.#touched.add(name);
    this.#revision++;
  }

  #carryOut(decision: Decision): void {
    const { unit, machine } = decision;
    if (decision.kind === 'schedule') {
      this.setPlacement(unit, { machine, since: this.#revision });
      return;
    }
    this.setPlacement(unit, undefined);
    if (isLostTo(this.#cluster(), machine)) return;
    this.setLeaving(unit, new Set([...(this.leaving.get(unit) ?? []), machine]));
  }

  /** A leader knows nothing of what its predecessor has decided, and looks at all. */
  #takeOver(): ClusterIndex {
    const index = new ClusterIndex({ onTouched: (name) => this.#touched.add(name) });
    for (const [id, machine] of this.machines) index.setMachine(id, machine);
    for (const [name, unit] of this.units) index.setUnit(name, unit);
    for (const [name, placement] of this.placements) index.setPlacement(name, placement);
    for (const [name, machines] of this.leaving) index.setLeaving(name, machines);
    for (const id of this.away) index.setAway(id, true);
    for (const [name, stopping] of this.stopping) index.setStopping(name, stopping);
    for (const id of this.unreadable.machines) index.setUnreadableMachine(id, true);
    for (const name of this.unreadable.units) index.setUnreadableUnit(name, true);
    index.setStrategy(this.strategy);
    this.#touched = new Set([...this.units.keys(), ...this.placements.keys()]);
    this.#reasons.clear();
    return index;
  }

  #cluster(): Cluster {
    const { units, placements, leaving, machines, away, stopping, unreadable, strategy } = this;
    return { units, placements, leaving, machines, away, stopping, unreadable, strategy };
  }
}

const units = fc.oneof(...unitNames.map(arbitraryUnit));
const machines = fc.oneof(...machineIds.map(arbitraryMachine));
const refusals = fc.array(fc.boolean(), { minLength: 1, maxLength: 5 });

const arbitraryStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: units.map((unit) => step(`unit ${fc.stringify(unit)}`, (to) => to.setUnit(unit.name, unit))),
  },
  { weight: 2, arbitrary: arbitraryName.map((name) => step(`no unit ${name}`, (to) => to.setUnit(name, undefined))) },
  {
    weight: 2,
    arbitrary: fc.tuple(arbitraryName, fc.constantFrom('inactive', 'loaded', 'launched')).map(([name, desiredState]) =>
      step(`${name} to be ${desiredState}`, (to) => {
        const unit = to.units.get(name);
        if (unit !== undefined) to.setUnit(name, { ...unit, desiredState });
      }),
    ),
  },
  {
    weight: 3,
    arbitrary: machines.map((machine) =>
      step(`machine ${fc.stringify(machine)}`, (to) => {
        to.setMachine(machine.id, machine);
        if (to.away.has(machine.id)) to.setAway(machine.id, false);
        if (to.unreadable.machines.has(machine.id)) to.setUnreadableMachine(machine.id, false);
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(arbitraryId, fc.constantFrom('lost', 'away', 'unreadable')).map(([id, how]) =>
      step(`machine ${id} ${how}`, (to) => {
        to.setMachine(id, undefined);
        to.setAway(id, how === 'away');
        to.setUnreadableMachine(id, how === 'unreadable');
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(arbitraryName, fc.option(arbitraryStopping, { nil: undefined }))
      .map(([name, stopping]) =>
        step(`${name} stopping ${fc.stringify(stopping)}`, (to) => to.setStopping(name, stopping)),
      ),
  },
  { weight: 1, arbitrary: arbitraryStrategy.map((strategy) => step(strategy, (to) => to.setStrategy(strategy))) },
  {
    weight: 3,
    arbitrary: arbitraryName.map((name) => step(`${name} has left`, (to) => to.setLeaving(name, undefined))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(arbitraryName, fc.boolean())
      .map(([name, isUnreadable]) =>
        step(`${name} ${isUnreadable ? 'un' : ''}readable`, (to) => to.setUnreadableUnit(name, isUnreadable)),
      ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(arbitraryName, fc.option(arbitraryPlacement, { nil: undefined })).map(([name, placement]) =>
      step(`${name} placed ${fc.stringify(placement)}`, (to) => {
        to.setLeaving(name, undefined);
        to.setPlacement(name, placement);
      }),
    ),
  },
  {
    weight: 12,
    arbitrary: fc
      .tuple(fc.constantFrom<Outcome>('all', 'all', 'some', 'destroyed', 'plain', 'new leader'), refusals)
      .map(([outcome, refused]) =>
        step(`decide, ${outcome} ${refused}`, (to) =>
          to.decide(outcome, (at) => refused[at % refused.length] ?? false),
        ),
      ),
  },
);

test('a change is decided the same whether all is looked at or only what it touches, through long histories', () => {
  const steps = fc.array(arbitraryStep, { maxLength: 300, size: 'max' });
  fc.assert(
    fc.property(clusters, steps, (start, happened) => {
      const history = new History(start);
      for (const { take } of happened) take(history);
      history.decide('all', () => false);
    }),
    { numRuns: fc.readConfigureGlobal().numRuns ?? 200 },
  );
});

/** The leader does not read the files of units that are not to run. */
function asMirrored(unit: Unit): Unit {
  return isWanted(unit) ? unit : { ...unit, requirements: noRequirements };
}

function step(says: string, take: Step['take']): Step {
  return { take, [fc.toStringMethod]: () => says };
}

function setOrDelete<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

function addOrDelete<E>(set: Set<E>, element: E, isIn: boolean): void {
  if (isIn) set.add(element);
  else set.delete(element);
}
