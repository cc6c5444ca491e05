import type { MachineId, StoppingUnit } from '@flotilla/cluster';
import type { Revision } from '@flotilla/registry';
import type { Clock, Timer } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';
import type { MirrorState } from './mirror-state.js';

export interface StoppingKeeperOptions {
  readonly clock: Clock;
  /** Called when it is time to look again. */
  readonly onDue: () => void;
}

/** A machine may be late by this in killing what did not stop: law 11. */
const slackMs = 2_000;

/** An absence of a machine. */
interface Absence {
  /** When this leader first saw it, on the monotonic clock: not before the machine's lease was over. */
  readonly sinceMs: number;
  /** When the machine had registered: another time, another absence. */
  readonly member: Revision;
}

/**
 * Knows which units with `OnPartition=stop` may still be up on machines that are gone, for one term of a leader. It counts from
 * when this leader saw a machine gone, whatever others noted: clocks of other hosts may be wrong.
 */
export class StoppingKeeper {
  readonly #options: StoppingKeeperOptions;
  readonly #startMs: number;
  readonly #absences = new Map<MachineId, Absence>();
  #stopping: ReadonlyMap<UnitName, StoppingUnit> = new Map();
  #state: MirrorState | undefined;
  #isDue = true;
  #timer: Timer | undefined;

  constructor(options: StoppingKeeperOptions) {
    this.#options = options;
    const { clock } = options;
    this.#startMs = clock.now() - clock.monotonicMs();
  }

  /** Machines may have come or gone. */
  note(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#options.onDue();
  }

  close(): void {
    this.#timer?.cancel();
  }

  /** Has the index of `state` know of such units. Before anything is decided upon it. */
  review(state: MirrorState): void {
    const isSame = state === this.#state;
    if (isSame && !this.#isDue) return;
    this.#isDue = false;
    this.#state = state;
    this.#noteAbsences(state);
    const before = isSame ? this.#stopping : new Map<UnitName, StoppingUnit>();
    this.#stopping = this.#find(state);
    for (const name of before.keys()) if (!this.#stopping.has(name)) state.index.setStopping(name, undefined);
    for (const [name, stopping] of this.#stopping)
      if (before.get(name) !== stopping) state.index.setStopping(name, stopping);
    this.#setTimer();
  }

  /** Those that a machine was told to run; its entries stay as they are until then. */
  #find(state: MirrorState): Map<UnitName, StoppingUnit> {
    const found = new Map<UnitName, StoppingUnit>();
    const add = (name: UnitName, stopping: StoppingUnit) => {
      const isLater = stopping.untilMs > (found.get(name)?.untilMs ?? this.#nowMs());
      if (isLater) found.set(name, stopping);
    };
    for (const [machine, { sinceMs }] of this.#absences) {
      for (const name of state.schedule.on(machine)) {
        const afterMs = findStopMs(state, name, machine);
        if (afterMs !== undefined) add(name, { machine, untilMs: this.#startMs + sinceMs + afterMs + slackMs });
      }
    }
    return found;
  }

  #noteAbsences({ losses, machines, schedule }: MirrorState): void {
    const isGone = (machine: MachineId) => !machines.isAlive(machine) && !losses.hasLeft(machine);
    for (const machine of this.#absences.keys()) if (!isGone(machine)) this.#absences.delete(machine);
    for (const machine of schedule.machines) {
      if (!isGone(machine)) continue;
      const member = losses.findEntry({ kind: 'member', machine })?.modRevision ?? 0;
      // A member that was forgotten has not been back.
      if ((this.#absences.get(machine)?.member ?? -1) >= member) continue;
      this.#absences.set(machine, { sinceMs: this.#options.clock.monotonicMs(), member });
    }
  }

  /** Epoch milliseconds on a clock that does not jump. */
  #nowMs(): number {
    return this.#startMs + this.#options.clock.monotonicMs();
  }

  #setTimer(): void {
    this.#timer?.cancel();
    if (this.#stopping.size === 0) return;
    const nextMs = Math.min(...Array.from(this.#stopping.values(), ({ untilMs }) => untilMs));
    this.#timer = this.#options.clock.setTimer(Math.max(1, nextMs - this.#nowMs()), () => this.note());
  }
}

/** How long a machine may take to stop a unit once contact is lost, by the file that it was told to run and by the unit's own. */
function findStopMs({ files, schedule, units }: MirrorState, name: UnitName, machine: MachineId): number | undefined {
  const records = [schedule.of(name).get(machine)?.record, units.get(name)?.record];
  const times = records.flatMap((record) => {
    const reading = record && files.read(name, record.file);
    const stop = reading?.kind === 'known' ? reading.requirements.partitionStop : undefined;
    return stop === undefined ? [] : [stop.afterMs];
  });
  return times.length === 0 ? undefined : Math.max(...times);
}
