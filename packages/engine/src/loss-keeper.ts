import type { MachineId } from '@flotilla/cluster';
import {
  type Compare,
  encodeRecord,
  keys,
  type LossRecord,
  type PlanOperation,
  type PlanWrite,
} from '@flotilla/registry';
import type { Clock, Logger, Timer } from '@flotilla/runtime';
import { type LossDefaults, type LossMemory, type LossPlan, lossLimits, planLosses } from './loss-policy.js';
import type { MirrorState } from './mirror-state.js';
import type { LossKey } from './mirrored-losses.js';

export interface LossKeeperOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly defaults: LossDefaults;
  /** Called when it is time to decide again. */
  readonly onDue: () => void;
}

/** Keeps what is noted about machines that are gone as the policy wants it, for one term of a leader. */
export class LossKeeper {
  readonly #options: LossKeeperOptions;
  readonly #startMs: number;
  readonly #seenAlive = new Set<MachineId>();
  #ledSinceMs: number | undefined;
  #memory: LossMemory | undefined;
  #isBraking = false;
  #isDue = false;
  #timer: Timer | undefined;
  /** What is to be told when it is written. */
  #newlyLost: ReadonlyMap<string, NewLoss> = new Map();

  constructor(options: LossKeeperOptions) {
    this.#options = options;
    const { clock } = options;
    this.#startMs = clock.now() - clock.monotonicMs();
  }

  /** There may be something to decide. */
  note(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#options.onDue();
  }

  /** Not all of what was decided is written: it is decided again. */
  noteFailure(): void {
    // Nobody took the turns that were given.
    if (this.#memory !== undefined) this.#memory = { ...this.#memory, paidUntilMs: undefined };
    this.note();
  }

  close(): void {
    this.#timer?.cancel();
  }

  /** What is to be written, if anything has changed or it is time to. */
  decide(state: MirrorState): readonly PlanWrite[] {
    if (!this.#isDue) return [];
    this.#isDue = false;
    const plan = this.#plan(state);
    this.#memory = plan.memory;
    this.#setTimer(plan.nextAtMs);
    this.#tell(plan);
    this.#newlyLost = findNewlyLost(plan.losses, state.losses.recorded);
    return lossWrites(state, plan.losses);
  }

  noteCommitted({ operations }: PlanWrite): void {
    for (const { key } of operations) {
      const loss = this.#newlyLost.get(key);
      if (loss !== undefined) this.#options.log.warn('machine lost; its units are placed elsewhere', { ...loss });
    }
  }

  #plan({ index, losses, machines: { told }, schedule }: MirrorState): LossPlan {
    const nowMs = this.#nowMs();
    this.#ledSinceMs ??= nowMs;
    const { machines, unreadable } = index.cluster;
    const alive = new Set([...machines.keys(), ...unreadable.machines]);
    for (const machine of alive) this.#seenAlive.add(machine);
    return planLosses({
      nowMs,
      joined: losses.joined,
      alive,
      recorded: losses.recorded,
      released: losses.released,
      seenAlive: this.#seenAlive,
      ledSinceMs: this.#ledSinceMs,
      memory: this.#memory,
      countUnits: (machine) => schedule.countOn(machine),
      limits: lossLimits(told.settings, this.#options.defaults),
    });
  }

  /** Epoch milliseconds on a clock that does not jump. */
  #nowMs(): number {
    return Math.round(this.#startMs + this.#options.clock.monotonicMs());
  }

  #setTimer(atMs: number | undefined): void {
    this.#timer?.cancel();
    if (atMs === undefined) return;
    this.#timer = this.#options.clock.setTimer(Math.max(1, atMs - this.#nowMs()), () => this.note());
  }

  #tell({ brake }: LossPlan): void {
    const { log } = this.#options;
    if (brake !== undefined && !this.#isBraking)
      log.warn(
        'too many machines are gone at once: nothing is moved until enough are back, or fleetctl machine release says that they are lost',
        brake,
      );
    if (brake === undefined && this.#isBraking)
      log.info('not too many machines are gone any more: units may move again');
    this.#isBraking = brake !== undefined;
  }
}

interface NewLoss {
  readonly machine: MachineId;
  readonly address: string;
  readonly units: number;
}

/** By the key of its record. */
function findNewlyLost(
  wanted: ReadonlyMap<MachineId, LossRecord>,
  recorded: ReadonlyMap<MachineId, LossRecord>,
): ReadonlyMap<string, NewLoss> {
  const found = new Map<string, NewLoss>();
  for (const [machine, { state, address, units }] of wanted)
    if (state === 'lost' && recorded.get(machine)?.state !== 'lost')
      found.set(keys.loss(machine), { machine, address, units });
  return found;
}

/** What has to be written so that `losses/` says what it should, and no order to release is left. */
function lossWrites({ losses }: MirrorState, wanted: ReadonlyMap<MachineId, LossRecord>): PlanWrite[] {
  const { recorded } = losses;
  const keyOf = (kind: LossKey['kind'], machine: MachineId): Compare => {
    return {
      key: keys[kind](machine),
      on: 'mod-revision',
      equals: losses.findEntry({ kind, machine })?.modRevision ?? 0,
    };
  };
  const writes: PlanWrite[] = [];
  for (const machine of new Set([...wanted.keys(), ...losses.mentioned])) {
    const record = wanted.get(machine);
    const [loss, release, member] = [keyOf('loss', machine), keyOf('release', machine), keyOf('member', machine)];
    const compares = [loss, release, member];
    const operations: PlanOperation[] = [];
    if (record === undefined && loss.equals > 0) operations.push({ kind: 'delete', key: loss.key });
    if (record !== undefined && !isSameLoss(record, recorded.get(machine))) {
      operations.push({ kind: 'put', key: loss.key, value: encodeRecord(record) });
      compares.push({ key: keys.machine(machine), on: 'create-revision', equals: 0 });
    }
    if (release.equals > 0) operations.push({ kind: 'delete', key: release.key });
    if (operations.length > 0) writes.push({ unit: undefined, compares, operations });
  }
  return writes;
}

function isSameLoss(one: LossRecord, other: LossRecord | undefined): boolean {
  return (
    one.since === other?.since &&
    one.state === other.state &&
    one.at === other.at &&
    one.units === other.units &&
    one.address === other.address &&
    one.isReleased === other.isReleased
  );
}
