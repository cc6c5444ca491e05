import { readStoredUnits, type Store } from '@flotilla/registry';
import type { OwnerName, UnitName } from '@flotilla/unit';
import { triedDrop, type Wanted } from './carry-out.js';
import type { Setbacks } from './setbacks.js';

export interface RipeOptions {
  readonly store: Store;
  readonly owner: OwnerName;
  readonly setbacks: Setbacks;
  /** On the monotonic clock. */
  readonly nowMs: number;
}

/** What of it is to be tried now. Asks the store first whose those units are that were somebody else's, 64 to a read. */
export async function findRipe(
  { store, owner, setbacks, nowMs }: RipeOptions,
  { holds, drops }: Wanted,
): Promise<Wanted> {
  const adviceOn = (name: UnitName, tried: string) => setbacks.adviceOn(name, { tried, nowMs });
  const open = [...holds].filter(([name, { claim }]) => adviceOn(name, claim.file) !== 'wait');
  const toAsk = open.filter(([name, { claim }]) => adviceOn(name, claim.file) === 'ask');
  const stored = await readStoredUnits(
    store,
    toAsk.map(([name]) => name),
  );
  const foreign = new Set<UnitName>();
  for (const [name, { claim }] of toAsk) {
    const found = stored.get(name);
    if (found?.kind !== 'there' || found.record.owner === owner) continue;
    foreign.add(name);
    setbacks.note(name, { setback: { kind: 'conflict', owner: found.record.owner }, tried: claim.file, nowMs });
  }
  return {
    holds: new Map(open.filter(([name]) => !foreign.has(name))),
    drops: drops.filter((name) => adviceOn(name, triedDrop) !== 'wait'),
  };
}
