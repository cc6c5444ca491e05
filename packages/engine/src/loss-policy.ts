import type { ClusterSettings, MachineId } from '@flotilla/cluster';
import type { LossRecord, LossState } from '@flotilla/registry';
import { compareText } from './compare-text.js';
import { LossRate } from './loss-rate.js';

/** When a machine that is gone counts as lost. Times are in milliseconds. */
export interface LossLimits {
  /** How long a machine is waited for that this leader has never seen alive; and after the brake, each one. */
  readonly graceMs: number;
  /** How long one is waited for that was alive a moment ago. */
  readonly settleMs: number;
  /** More than this share of the machines gone within `brakeWindowMs` moves nothing. */
  readonly brakePercent: number;
  readonly brakeWindowMs: number;
  /** This share of the machines, and at least one, is lost at once, one more each `intervalMs`. */
  readonly burstPercent: number;
  readonly intervalMs: number;
}

/** A member of the cluster that has not left it. */
export interface JoinedMember {
  readonly address: string;
}

/** What is decided upon. Times are epoch milliseconds by one clock that does not go back, but for those in `recorded`. */
export interface LossView {
  readonly nowMs: number;
  readonly joined: ReadonlyMap<MachineId, JoinedMember>;
  /** Those whose lease is alive. */
  readonly alive: ReadonlySet<MachineId>;
  /** What this leader or an earlier one has noted about the present absence of a machine. */
  readonly recorded: ReadonlyMap<MachineId, LossRecord>;
  /** Machines that a person says are lost. */
  readonly released: ReadonlySet<MachineId>;
  /** Those that this leader has seen alive at any time. */
  readonly seenAlive: ReadonlySet<MachineId>;
  /** When this leader had its first complete view. */
  readonly ledSinceMs: number;
  /** {@link LossPlan.memory} of this leader's plan before, if there is one. */
  readonly memory?: LossMemory | undefined;
  /** Units that are placed on a machine or have yet to leave it. */
  readonly countUnits: (machine: MachineId) => number;
  readonly limits: LossLimits;
}

/** What a leader remembers beyond the records, which go when a machine is back. */
export interface LossMemory {
  /** When the brake last ended. */
  readonly calmSinceMs: number | undefined;
  /** See {@link LossRate.paidUntilMs}; `undefined`: what the records tell. */
  readonly paidUntilMs: number | undefined;
}

export interface LossPlan {
  /**
   * Every joined machine that is not alive, by ID, and what is to be noted about it: from those in state `lost` units are
   * taken now, from others nothing is concluded.
   */
  readonly losses: ReadonlyMap<MachineId, LossRecord>;
  /** How many machines are gone, and of how many, while the brake holds. */
  readonly brake: { readonly gone: number; readonly joined: number } | undefined;
  readonly memory: LossMemory;
  /** When to decide again, if nothing changes before. */
  readonly nextAtMs: number | undefined;
}

/** A machine that nothing is concluded from yet. */
interface Missing {
  readonly machine: MachineId;
  readonly record: LossRecord;
  /** When it may count as lost. */
  readonly dueMs: number;
}

/** A lease is renewed so often in its life; see `holdLease`. */
const renewalsPerLease = 3;

/** etcd looks twice a second at which leases are over, and busy machines renew theirs late. */
const storeSlackMs = 2_000;

/** Times that settings leave to the leader's own options come from those. */
export function lossLimits(settings: ClusterSettings, { agentTtlMs, graceMs = agentTtlMs }: LossDefaults): LossLimits {
  return {
    graceMs: settings.lossGraceMs ?? graceMs,
    // What cuts machines off at one moment ends their leases one by one, within the time between two renewals.
    settleMs: settings.lossSettleMs ?? agentTtlMs / renewalsPerLease + storeSlackMs,
    brakePercent: settings.lossBrakePercent,
    brakeWindowMs: settings.lossBrakeWindowMs ?? 2 * agentTtlMs,
    burstPercent: settings.lossBurstPercent,
    intervalMs: settings.lossIntervalMs,
  };
}

/** The options of the leader's host. */
export interface LossDefaults {
  readonly agentTtlMs: number;
  /** @default agentTtlMs */
  readonly graceMs?: number | undefined;
}

/**
 * Decides which of the machines that are gone are lost. Machines that have left, or that nobody knows, are not its
 * business: they are lost at once.
 *
 * Each machine is waited for first. Then the brake: while too many are gone, nothing is concluded. Then the rate. What a
 * person has released is lost at once. A decision stands until the machine is back.
 */
export function planLosses(view: LossView): LossPlan {
  const missing = [...view.joined]
    .filter(([machine]) => !view.alive.has(machine))
    .sort(([a], [b]) => compareText(a, b));
  const losses = new Map<MachineId, LossRecord>();
  const open: Missing[] = [];
  let brakeSinceMs: number | undefined;
  for (const [machine, { address }] of missing) {
    const record = note(view, machine, address);
    if (record.state === 'brake') brakeSinceMs = Math.min(record.since, brakeSinceMs ?? record.since);
    if (record.state === 'lost') losses.set(machine, record);
    else if (view.released.has(machine)) losses.set(machine, { ...lost(view, machine, record), isReleased: true });
    else open.push({ machine, record, dueMs: dueMs(view, machine, record) });
  }
  const { holds, gone, joined } = look(view, { open, decided: [...losses.values()], brakeSinceMs });
  const isOver = brakeSinceMs !== undefined && !holds;
  const calmSinceMs = isOver ? view.nowMs : view.memory?.calmSinceMs;
  // Those that are still gone are on their way back, as the others were.
  const waiting = isOver ? open.map((each) => ({ ...each, dueMs: view.nowMs + view.limits.graceMs })) : open;
  const rate = lossRate(view, joined, [...losses.values()]);
  const decided = holds ? hold(view, waiting) : conclude(view, waiting, rate);
  for (const [machine, record] of decided.losses) losses.set(machine, record);
  return {
    losses: new Map([...losses].sort(([a], [b]) => compareText(a, b))),
    brake: holds ? { gone, joined } : undefined,
    memory: { calmSinceMs, paidUntilMs: rate.paidUntilMs },
    nextAtMs: decided.nextAtMs,
  };
}

/** What is noted already, or is to be. What a clock that was ahead has noted is not waited for. */
function note({ nowMs, recorded, countUnits }: LossView, machine: MachineId, address: string): LossRecord {
  const record = recorded.get(machine);
  if (record === undefined) return { since: nowMs, state: 'grace', at: nowMs, units: countUnits(machine), address };
  return { ...record, since: Math.min(record.since, nowMs), at: Math.min(record.at, nowMs) };
}

function dueMs(view: LossView, machine: MachineId, { since }: LossRecord): number {
  const { seenAlive, ledSinceMs, memory: { calmSinceMs } = {}, limits } = view;
  const settledMs = since + limits.settleMs;
  const ownMs = seenAlive.has(machine) ? settledMs : Math.max(settledMs, ledSinceMs + limits.graceMs);
  return calmSinceMs === undefined ? ownMs : Math.max(ownMs, calmSinceMs + limits.graceMs);
}

interface Absences {
  readonly open: readonly Missing[];
  readonly decided: readonly LossRecord[];
  /** When the first one went that the brake holds; `undefined` if it does not yet. */
  readonly brakeSinceMs: number | undefined;
}

/**
 * Whether the brake holds. While it does, who was gone when it began counts as gone until back, whatever was decided
 * meanwhile: else time alone, or the release of a few, would let go of the others. Before, a release says that
 * it was no false alarm.
 */
function look({ alive, limits, nowMs }: LossView, { open, decided, brakeSinceMs }: Absences) {
  const fromMs = (brakeSinceMs ?? Math.max(...open.map(({ record }) => record.since))) - limits.brakeWindowMs;
  const counted = decided.filter(
    ({ since, isReleased }) => since > fromMs && (isReleased !== true || brakeSinceMs !== undefined),
  );
  const gone = open.length + counted.length;
  const joined = alive.size + gone;
  const isTooMany = gone * 100 > limits.brakePercent * joined;
  const isDue = brakeSinceMs !== undefined || open.some((missing) => missing.dueMs <= nowMs);
  return { holds: open.length > 0 && isTooMany && isDue, gone, joined };
}

interface Conclusions {
  readonly losses: readonly (readonly [MachineId, LossRecord])[];
  readonly nextAtMs: number | undefined;
}

/** All of them: should those leave or be released whose time was up first, the brake goes on for the others. */
function hold({ nowMs }: LossView, open: readonly Missing[]): Conclusions {
  return {
    losses: open.map((missing) => [missing.machine, inState(missing, 'brake', nowMs)]),
    nextAtMs: undefined,
  };
}

/** The rate as it stands: as this leader remembers, or else as those tell that are lost. */
function lossRate({ limits, memory }: LossView, joined: number, lost: readonly LossRecord[]): LossRate {
  const burst = Math.max(1, Math.floor((joined * limits.burstPercent) / 100));
  const rate = new LossRate({ burst, intervalMs: limits.intervalMs, paidUntilMs: memory?.paidUntilMs });
  if (memory?.paidUntilMs === undefined)
    for (const { at } of lost.filter(countsForRate).sort((a, b) => a.at - b.at)) rate.take(at);
  return rate;
}

/** Of those that are due, as many are lost as the rate allows, who has been gone longest first. */
function conclude(view: LossView, open: readonly Missing[], rate: LossRate): Conclusions {
  const { nowMs } = view;
  const losses: [MachineId, LossRecord][] = [];
  let isQueued = false;
  for (const missing of [...open].sort(
    (a, b) => a.record.since - b.record.since || compareText(a.machine, b.machine),
  )) {
    const { machine, record } = missing;
    const isDue = missing.dueMs <= nowMs;
    const mayGo = view.countUnits(machine) === 0 || rate.nextMs() <= nowMs;
    if (isDue && mayGo) {
      const loss = lost(view, machine, record);
      if (countsForRate(loss)) rate.take(nowMs);
      losses.push([machine, loss]);
    } else losses.push([machine, inState(missing, isDue ? 'rate' : 'grace', nowMs)]);
    isQueued ||= isDue && !mayGo;
  }
  const dues = open.map((missing) => missing.dueMs).filter((due) => due > nowMs);
  return { losses, nextAtMs: earliest(isQueued ? [...dues, rate.nextMs()] : dues) };
}

/** A machine without units takes nobody's turn: nothing moves. */
function countsForRate({ isReleased, units }: LossRecord): boolean {
  return units > 0 && isReleased !== true;
}

function lost({ nowMs, countUnits }: LossView, machine: MachineId, record: LossRecord): LossRecord {
  return { ...record, state: 'lost', at: nowMs, units: countUnits(machine) };
}

function inState({ record }: Missing, state: LossState, nowMs: number): LossRecord {
  return record.state === state ? record : { ...record, state, at: nowMs };
}

function earliest(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : times.reduce((one, other) => Math.min(one, other));
}
