import type { Clock, Timer } from './clock.js';

interface Pending {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that stands still until a test moves it. `random()` is always 0.5: jitter is none. */
export class TestClock implements Clock {
  #elapsedMs = 0;
  #order = 0;
  readonly #pending = new Set<Pending>();
  readonly #epochMs: number;

  constructor(epochMs = 1_700_000_000_000) {
    this.#epochMs = epochMs;
  }

  now(): number {
    return this.#epochMs + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  random(): number {
    return 0.5;
  }

  setTimer(delayMs: number, run: () => void): Timer {
    const entry: Pending = { atMs: this.#elapsedMs + Math.max(0, delayMs), order: this.#order++, run };
    this.#pending.add(entry);
    return { cancel: () => this.#pending.delete(entry) };
  }

  /** Moves time on by `ms`, running each due timer at its own time and letting promises settle after each. */
  async advance(ms: number): Promise<void> {
    const until = this.#elapsedMs + ms;
    await settle();
    for (let due = this.#nextDue(until); due !== undefined; due = this.#nextDue(until)) {
      this.#pending.delete(due);
      this.#elapsedMs = Math.max(this.#elapsedMs, due.atMs);
      due.run();
      await settle();
    }
    this.#elapsedMs = until;
    await settle();
  }

  /** Moves time on without running any timer, as a stopped process would see it. */
  freeze(ms: number): void {
    this.#elapsedMs += ms;
  }

  #nextDue(until: number): Pending | undefined {
    let next: Pending | undefined;
    for (const entry of this.#pending) {
      if (entry.atMs > until) continue;
      if (next === undefined || entry.atMs < next.atMs || (entry.atMs === next.atMs && entry.order < next.order)) {
        next = entry;
      }
    }
    return next;
  }
}

/** Turns of the event loop after which promises that wait for nothing real have settled. Taste: a chain of ten. */
const quietTurns = 10;

/** Lets everything that is ready run: some turns of the event loop, counted anew while the disk is at work. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < quietTurns; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (process.getActiveResourcesInfo().some(isDiskRequest)) turn = 0;
  }
}

/** Requests to the file system, and the closing of a file handle. */
function isDiskRequest(resource: string): boolean {
  return resource.startsWith('FSReq') || resource === 'CloseReq';
}
