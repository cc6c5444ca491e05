import { defaultSettings, type MachineId, parseMachineId } from '@flotilla/cluster';
import type { LossRecord } from '@flotilla/registry';
import { type LossLimits, type LossMemory, type LossPlan, lossLimits, planLosses } from './loss-policy.js';

/** A cluster of which only this is of interest: who is a member, who is alive, and what its leaders conclude. */
export class TestLosses {
  readonly limits: LossLimits;
  nowMs = 1_000_000;
  /** How many units each machine has; others have one. */
  readonly units = new Map<MachineId, number>();
  /** As they stand in the store. */
  recorded: ReadonlyMap<MachineId, LossRecord> = new Map();
  readonly alive = new Set<MachineId>();
  onPlan: (plan: LossPlan) => void = () => {};
  readonly #joined = new Map<MachineId, { address: string }>();
  readonly #released = new Set<MachineId>();
  #seenAlive = new Set<MachineId>();
  #ledSinceMs = this.nowMs;
  #memory: LossMemory | undefined;
  /** How far the clock of the leader is off. */
  skewMs = 0;

  constructor(count = 0, limits: Partial<LossLimits> = {}) {
    this.limits = { ...lossLimits(defaultSettings, { agentTtlMs: 30_000 }), ...limits };
    for (let number = 1; number <= count; number++) this.come(idOf(number));
    this.plan();
  }

  come(id: MachineId): void {
    this.alive.add(id);
    this.#joined.set(id, { address: '' });
    // What was said of it earlier is not about it now.
    this.recorded = new Map([...this.recorded].filter(([machine]) => machine !== id));
    this.#released.delete(id);
  }

  go(...ids: readonly MachineId[]): void {
    for (const id of ids) this.alive.delete(id);
  }

  leave(id: MachineId): void {
    this.alive.delete(id);
    this.#joined.delete(id);
  }

  isMissing(id: MachineId): boolean {
    return this.#joined.has(id) && !this.alive.has(id);
  }

  release(id: MachineId): void {
    this.#released.add(id);
  }

  changeLeader(skewMs = 0): void {
    this.skewMs = skewMs;
    this.#seenAlive = new Set();
    this.#memory = undefined;
    this.#ledSinceMs = this.nowMs + skewMs;
  }

  /** Decides once, `afterMs` later, and carries it out. */
  plan(afterMs = 0): LossPlan {
    this.nowMs += afterMs;
    for (const id of this.alive) this.#seenAlive.add(id);
    const plan = planLosses({
      nowMs: this.nowMs + this.skewMs,
      joined: this.#joined,
      alive: this.alive,
      recorded: this.recorded,
      released: this.#released,
      seenAlive: this.#seenAlive,
      ledSinceMs: this.#ledSinceMs,
      memory: this.#memory,
      countUnits: (id) => (this.recorded.get(id)?.state === 'lost' ? 0 : (this.units.get(id) ?? 1)),
      limits: this.limits,
    });
    this.recorded = plan.losses;
    this.#memory = plan.memory;
    this.#released.clear();
    this.onPlan(plan);
    return plan;
  }

  /** Decides whenever it is time to, for `ms`; what was decided last. */
  wait(ms: number): LossPlan {
    const endMs = this.nowMs + ms;
    for (let plan = this.plan(); ; plan = this.plan()) {
      const nextMs = (plan.nextAtMs ?? Number.POSITIVE_INFINITY) - this.skewMs;
      if (nextMs > endMs) break;
      if (nextMs <= this.nowMs) throw new Error(`it wants to decide again at ${nextMs}, which is over`);
      this.nowMs = nextMs;
    }
    return this.plan(endMs - this.nowMs);
  }
}

/** IDs that sort as their numbers do. */
export function idOf(number: number): MachineId {
  return parseMachineId(`m${String(number).padStart(4, '0')}`);
}

export function idsOf(first: number, last: number): MachineId[] {
  return Array.from({ length: last - first + 1 }, (_, index) => idOf(first + index));
}

/** How many machines are in each state, as in `lost 2, rate 3`. */
export function countStates({ losses }: LossPlan): string {
  const states = [...losses.values()].map(({ state }) => state);
  return (['lost', 'grace', 'brake', 'rate'] as const)
    .map((state) => ({ state, count: states.filter((each) => each === state).length }))
    .flatMap(({ state, count }) => (count === 0 ? [] : `${state} ${count}`))
    .join(', ');
}
