/** A pending call; see {@link Clock.setTimer}. */
export interface Timer {
  /** Forgets the call; harmless once it has run. */
  cancel(): void;
}

/** Where time and chance come from. Everything but `runtime` takes them from here, so that tests can own them. */
export interface Clock {
  /** Wall clock, in epoch milliseconds. It may jump. */
  now(): number;
  /**
   * Milliseconds on a clock that never goes back and goes on while the process is stopped (SIGSTOP): the same one for all
   * processes of a boot.
   */
  monotonicMs(): number;
  /** Calls `run` once, `delayMs` from now. */
  setTimer(delayMs: number, run: () => void): Timer;
  /** A number in [0, 1), for jitter. */
  random(): number;
}

/** Node fires a longer timeout at once. */
const longestTimeoutMs = 2 ** 31 - 1;

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  setTimer(delayMs, run) {
    let timer: NodeJS.Timeout;
    const arm = (restMs: number) => {
      timer = setTimeout(
        () => (restMs > longestTimeoutMs ? arm(restMs - longestTimeoutMs) : run()),
        Math.min(restMs, longestTimeoutMs),
      );
    };
    arm(delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  random: () => Math.random(),
};

/** Resolves after `ms`, or as soon as `signal` aborts: callers look at the signal, there is nothing to catch. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const done = () => {
      timer.cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.setTimer(ms, done);
    signal?.addEventListener('abort', done);
  });
}

/** Resolves once `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** `ms` with up to a fifth more or less, so that many hosts do not act in step. */
export function jittered(clock: Clock, ms: number): number {
  return ms * (0.8 + 0.4 * clock.random());
}
