import { sleep, systemClock } from '@flotilla/runtime';

export interface WaitOptions<State> {
  /** Names what is waited for, in the failure's message. */
  readonly what: string;
  /** Looks at the world. If it rejects, that is the state. */
  readonly read: () => Promise<State>;
  readonly until: (state: State) => boolean;
  /** @default 30_000 */
  readonly timeoutMs?: number;
  /**
   * Time between two looks. @default 100 at first, then a tenth of the time waited, to 500: what takes long is not to be
   * kept from the processors by who looks at it
   */
  readonly intervalMs?: number;
  /** More to print on failure: journals, say. */
  readonly onTimeout?: () => Promise<string>;
}

const shortestMs = 100;
const longestMs = 500;

/**
 * Waits for a state of the world.
 *
 * @returns The state that `until` accepted.
 * @throws Error with the last state seen, if the deadline passes first.
 */
export async function waitUntil<State>(options: WaitOptions<State>): Promise<State> {
  const { what, read, until, timeoutMs = 30_000, onTimeout } = options;
  const startedMs = systemClock.monotonicMs();
  let seen: unknown;
  for (;;) {
    try {
      const state = await read();
      if (until(state)) return state;
      seen = state;
    } catch (error) {
      seen = error;
    }
    const waitedMs = systemClock.monotonicMs() - startedMs;
    if (waitedMs > timeoutMs) break;
    await sleep(systemClock, options.intervalMs ?? Math.min(Math.max(shortestMs, waitedMs / 10), longestMs));
  }
  const more = onTimeout === undefined ? '' : await onTimeout().catch((error) => `(no details: ${String(error)})`);
  throw new Error(`not so after ${timeoutMs} ms: ${what}\nlast seen: ${describe(seen)}\n${more}`);
}

function describe(state: unknown): string {
  if (state instanceof Error) return state.message;
  if (state instanceof Map) return JSON.stringify([...state], undefined, 1);
  return typeof state === 'string' ? state : (JSON.stringify(state, undefined, 1) ?? String(state));
}
