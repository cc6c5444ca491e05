import type { Clock, Timer } from '@flotilla/runtime';

interface Event {
  readonly atMs: number;
  readonly run: () => void;
  isCancelled: boolean;
}

/**
 * The one time of a simulated world. Unlike `TestClock` it lets promises settle for one turn of the event loop only:
 * enough where nothing waits for anything real, and what makes a hundred thousand worlds affordable.
 */
export class SimulatedTime {
  #nowMs = 0;
  /** What is to come, the next one last. */
  readonly #events: Event[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Runs something later; of two that are due together the one that was asked for first comes first. */
  schedule(delayMs: number, run: () => void): Timer {
    const event: Event = { atMs: this.#nowMs + Math.max(0, Math.ceil(delayMs)), run, isCancelled: false };
    let at = this.#events.length;
    while (at > 0 && (this.#events[at - 1]?.atMs ?? 0) <= event.atMs) at--;
    this.#events.splice(at, 0, event);
    return {
      cancel: () => {
        event.isCancelled = true;
      },
    };
  }

  /** Moves time on, and calls `look` after each thing that happens. */
  async advance(ms: number, look: () => void): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (let next = this.#events.at(-1); next !== undefined && next.atMs <= endMs; next = this.#events.at(-1)) {
      this.#events.pop();
      if (next.isCancelled) continue;
      this.#nowMs = next.atMs;
      next.run();
      await new Promise<void>((resolve) => setImmediate(resolve));
      look();
    }
    this.#nowMs = endMs;
  }
}

export interface SimulatedProcessOptions {
  readonly time: SimulatedTime;
  /** Its clock's seconds per real second. */
  readonly rate: number;
  readonly random: () => number;
}

/** A process with a clock of its own, which can be stopped, as by SIGSTOP or a blocked event loop, and killed. */
export class SimulatedProcess implements Clock {
  readonly random: () => number;
  readonly #time: SimulatedTime;
  readonly #rate: number;
  #stoppedUntilMs = 0;
  #isDead = false;
  #parked: { readonly kind: 'timer' | 'message'; readonly run: () => void }[] = [];

  constructor({ time, rate, random }: SimulatedProcessOptions) {
    this.#time = time;
    this.#rate = rate;
    this.random = random;
  }

  now(): number {
    return this.monotonicMs();
  }

  monotonicMs(): number {
    return this.#time.nowMs * this.#rate;
  }

  setTimer(delayMs: number, run: () => void): Timer {
    let isCancelled = false;
    const timer = this.#time.schedule(delayMs / this.#rate, () =>
      this.deliver('timer', () => {
        if (!isCancelled) run();
      }),
    );
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }

  /** Runs something in the process: now, or when it goes on; never if it is dead. */
  deliver(kind: 'timer' | 'message', run: () => void): void {
    if (this.#isDead) return;
    if (this.#time.nowMs >= this.#stoppedUntilMs) {
      run();
      return;
    }
    if (this.#parked.length === 0) this.#scheduleReturn();
    this.#parked.push({ kind, run });
  }

  stop(ms: number): void {
    this.#stoppedUntilMs = Math.max(this.#stoppedUntilMs, this.#time.nowMs + ms);
  }

  kill(): void {
    this.#isDead = true;
  }

  #scheduleReturn(): void {
    this.#time.schedule(this.#stoppedUntilMs - this.#time.nowMs, () => {
      const parked = this.#parked;
      this.#parked = [];
      // Which of the two Node looks at first, after it was stopped, depends on where it was stopped.
      const first = this.random() < 0.5 ? 'timer' : 'message';
      const [early, late] = [parked.filter(({ kind }) => kind === first), parked.filter(({ kind }) => kind !== first)];
      for (const { kind, run } of [...early, ...late]) this.#time.schedule(0, () => this.deliver(kind, run));
    });
  }
}
