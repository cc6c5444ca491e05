import { FatalError, FleetError } from '@flotilla/errors';
import { type Clock, jittered, type Timer } from './clock.js';
import type { Logger } from './logger.js';

export interface ReconcileLoopOptions {
  /** Names the loop in the log. */
  readonly name: string;
  /** One run of the loop's body. It reads the world, decides and acts; `pass` counts from 1. */
  readonly body: (context: { readonly pass: number; readonly signal: AbortSignal }) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  /** A pass starts this long after the last one ended although nothing woke the loop. @default never */
  readonly intervalMs?: number;
  /** A pass is told to give up, through its signal, after this long. @default 60_000 */
  readonly deadlineMs?: number;
  /** The longest wait after a failed pass. @default 15_000 */
  readonly longestBackoffMs?: number;
  /** A wake-up waits this long for more of its kind, so that a burst is one pass. @default 0 */
  readonly gatherMs?: number;
  /**
   * A woken pass starts this long after the end of the last one at the earliest: what comes first after a quiet time
   * is answered at once, while a long burst costs few passes. @default 0
   */
  readonly spacingMs?: number;
  /**
   * The first wait of that kind after a quiet time; each further one is twice as long, up to `spacingMs`: what follows from
   * a single change is seen at once, too. @default spacingMs
   */
  readonly firstSpacingMs?: number;
  /** Called once if a pass throws a {@link FatalError}; the loop has stopped by then. */
  readonly onFatal?: (error: FatalError) => void;
}

/** The first and the longest wait after a failed pass. Taste: quick at first, not a burden on a sick store. */
const firstBackoffMs = 250;
const defaultLongestBackoffMs = 15_000;

/** A loop that nobody woke for so many times its spacing has had a quiet time. */
const quietSpacings = 2;

/** For what has to be right again as soon as the store is back: its watch asks once a second, too. */
export const promptBackoffMs = 2_000;

/**
 * Runs a body at start, after each {@link wake}, and every `intervalMs`. Passes never overlap: wake-ups during a pass
 * become one more pass. A pass that throws is logged and run again after a growing, jittered wait, which a wake-up
 * does not shorten below the first step.
 */
export class ReconcileLoop {
  readonly #options: ReconcileLoopOptions;
  readonly #stop = new AbortController();
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #running: Promise<void> | undefined;
  #isWoken = false;
  #failures = 0;
  #lastFailure: string | undefined;
  #endedAtMs = Number.NEGATIVE_INFINITY;
  #spacingMs = 0;
  #pass = 0;

  constructor(options: ReconcileLoopOptions) {
    this.#options = options;
  }

  /** Starts the first pass. */
  start(): void {
    this.#arm(0);
  }

  /** Asks for a pass soon. Cheap; call it as often as something happens. */
  wake(): void {
    this.#isWoken = true;
    if (this.#running === undefined) this.#arm(this.#failures > 0 ? firstBackoffMs : this.#wakeDelayMs());
  }

  /** Ends the loop: aborts the running pass and resolves when it has returned. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#timer?.cancel();
    await this.#running;
  }

  /** What goes on failing in the same way is told ever more rarely: after 1, 2, 4, 8 ... failures. */
  #isWorthTelling(error: unknown): boolean {
    const message = error instanceof Error ? error.message : String(error);
    const isNews = message !== this.#lastFailure;
    this.#lastFailure = message;
    return isNews || Number.isInteger(Math.log2(this.#failures));
  }

  #wakeDelayMs(): number {
    const { clock, gatherMs = 0 } = this.#options;
    return Math.max(gatherMs, this.#endedAtMs + this.#spacingMs - clock.monotonicMs());
  }

  /** To be called as a pass starts: how far from it the next one has to be. */
  #growSpacing(): void {
    const { clock, spacingMs = 0, firstSpacingMs = spacingMs } = this.#options;
    const isQuiet = clock.monotonicMs() - this.#endedAtMs > quietSpacings * spacingMs;
    this.#spacingMs = isQuiet ? firstSpacingMs : Math.min(this.#spacingMs * 2, spacingMs);
  }

  /** Sees to it that a pass starts `delayMs` from now or earlier. */
  #arm(delayMs: number): void {
    if (this.#stop.signal.aborted) return;
    const { clock } = this.#options;
    const atMs = clock.monotonicMs() + delayMs;
    if (atMs >= this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.#running = this.#runPass();
    });
  }

  async #runPass(): Promise<void> {
    const { body, clock, log, name, deadlineMs = 60_000, intervalMs, onFatal } = this.#options;
    const { longestBackoffMs = defaultLongestBackoffMs } = this.#options;
    this.#isWoken = false;
    this.#growSpacing();
    const pass = ++this.#pass;
    const abort = new AbortController();
    const giveUp = () => abort.abort();
    const deadline = clock.setTimer(deadlineMs, giveUp);
    this.#stop.signal.addEventListener('abort', giveUp);
    try {
      await body({ pass, signal: abort.signal });
      this.#failures = 0;
      this.#lastFailure = undefined;
    } catch (error) {
      if (error instanceof FatalError) {
        log.error('loop stopped by a fatal error', { loop: name, pass, error });
        this.#stop.abort();
        onFatal?.(error);
      } else if (!this.#stop.signal.aborted) {
        this.#failures++;
        const isTold = error instanceof FleetError && error.isReported;
        const level = !isTold && this.#isWorthTelling(error) ? 'warn' : 'debug';
        log[level]('pass failed; it is tried again', { loop: name, pass, failures: this.#failures, error });
      }
    } finally {
      deadline.cancel();
      this.#stop.signal.removeEventListener('abort', giveUp);
      this.#running = undefined;
      this.#endedAtMs = clock.monotonicMs();
    }
    if (this.#failures > 0)
      this.#arm(jittered(clock, Math.min(firstBackoffMs * 2 ** (this.#failures - 1), longestBackoffMs)));
    else if (this.#isWoken) this.#arm(this.#wakeDelayMs());
    else if (intervalMs !== undefined) this.#arm(jittered(clock, intervalMs));
  }
}
