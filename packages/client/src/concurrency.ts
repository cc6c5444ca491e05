import { maxInFlight } from './transport.js';

/**
 * Runs `work` on every item, at most 16 at once, and resolves to the results in the items' order. When one rejects,
 * no further item is begun and the first rejection is passed on.
 */
export async function mapInFlight<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results = new Map<number, Result>();
  const queue = items.entries();
  let isBroken = false;
  const worker = async () => {
    for (const [index, item] of queue) {
      if (isBroken) return;
      try {
        results.set(index, await work(item));
      } catch (error) {
        isBroken = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(maxInFlight, items.length) }, worker));
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
}
