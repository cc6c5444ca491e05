import type { MachineId } from '@flotilla/cluster';
import { keys, type Store } from '@flotilla/registry';
import { type Clock, type Logger, sleep } from '@flotilla/runtime';

/** A store that answers later than this counts as away. */
const answerWaitMs = 2_500;
const askAgainMs = 250;

/** Whether a store answers, asked now: a lease may be fresh although the store went away a moment ago. Never rejects. */
export async function hearsStore(
  { store, clock, log }: { readonly store: Store; readonly clock: Clock; readonly log: Logger },
  machine: MachineId,
): Promise<boolean> {
  const end = new AbortController();
  let isHeard = false;
  const ask = async () => {
    while (!end.signal.aborted) {
      try {
        await store.range({ from: keys.machine(machine), keysOnly: true });
        isHeard = true;
        end.abort();
      } catch (error) {
        log.debug('the store does not answer', { error });
        await sleep(clock, askAgainMs, end.signal);
      }
    }
  };
  void ask();
  await sleep(clock, answerWaitMs, end.signal);
  end.abort();
  return isHeard;
}
