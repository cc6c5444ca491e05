import type { UnitName } from '@flotilla/unit';

/** What one call did with its units. `unclear`: it failed and does not say which of them are to blame. */
export type BatchOutcome =
  | { readonly kind: 'done'; readonly failures: ReadonlyMap<UnitName, string> }
  | { readonly kind: 'unclear'; readonly message: string };

/** Units per call: far below the kernel's limit on arguments, and one unit in trouble delays few others. */
export const largestBatch = 500;

/**
 * Has `call` treat all `names`, at most {@link largestBatch} at a time, and halves a batch that failed without saying
 * why until the unit to blame is alone.
 *
 * @returns What went wrong, by unit.
 */
export async function runBatches(
  names: readonly UnitName[],
  call: (batch: readonly UnitName[]) => Promise<BatchOutcome>,
): Promise<Map<UnitName, string>> {
  const failures = new Map<UnitName, string>();
  const queue: (readonly UnitName[])[] = [];
  for (let start = 0; start < names.length; start += largestBatch) queue.push(names.slice(start, start + largestBatch));
  for (let batch = queue.shift(); batch !== undefined; batch = queue.shift()) {
    const outcome = await call(batch);
    if (outcome.kind === 'done') {
      for (const [name, message] of outcome.failures) failures.set(name, message);
    } else if (batch.length === 1 && batch[0] !== undefined) {
      failures.set(batch[0], outcome.message);
    } else {
      const middle = batch.length >> 1;
      queue.unshift(batch.slice(0, middle), batch.slice(middle));
    }
  }
  return failures;
}
