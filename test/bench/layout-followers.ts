import type { MachineId } from '@flotilla/cluster';
import {
  decodeRecord,
  type Following,
  follow,
  type KeyValue,
  ranges,
  type Store,
  type WatchRange,
} from '@flotilla/registry';
import { silentLogger, sleep, systemClock } from '@flotilla/runtime';

/** Follows ranges as a daemon would, decoding what comes, and counts it. */
export class CountingFollower {
  keys = 0;
  events = 0;
  /** When the last event came, on the monotonic clock. */
  lastMs = 0;
  readonly #following: Following;

  constructor(store: Store, watched: readonly WatchRange[]) {
    this.#following = follow({
      store,
      ranges: watched,
      clock: systemClock,
      log: silentLogger,
      follower: {
        onSnapshot: (kvs) => {
          this.keys += kvs.length;
          for (const kv of kvs) decode(kv);
        },
        onEvents: (events) => {
          this.events += events.length;
          this.lastMs = systemClock.monotonicMs();
          for (const event of events) if (event.kind === 'put') decode(event.kv);
        },
      },
    });
  }

  get synced(): Promise<void> {
    return this.#following.synced;
  }

  /** Waits until `count` events have come in all. */
  async reach(count: number): Promise<void> {
    while (this.events < count) await sleep(systemClock, 2);
  }

  close(): void {
    this.#following.close();
  }
}

/** What the leader keeps a mirror of. */
export const leaderRanges: readonly WatchRange[] = [
  ranges.unitFiles,
  ranges.units,
  ranges.placements,
  ranges.machines,
  { ...ranges.states, deletesOnly: true },
];

/** What an agent listens to. */
export function agentRanges(machine: MachineId): readonly WatchRange[] {
  return [ranges.scheduleOf(machine), ranges.globals];
}

function decode({ key, value }: KeyValue): void {
  if (!key.startsWith(ranges.unitFiles.from)) decodeRecord(key, value);
}
