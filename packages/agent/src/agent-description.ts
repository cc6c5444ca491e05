import type { LaunchState } from '@flotilla/cluster';
import type { StatePublisher, UnitRow } from '@flotilla/registry';
import type { UnitName } from '@flotilla/unit';
import type { AgentPass } from './agent-pass.js';
import type { KnownUnit } from './desired.js';

/** What an agent has in mind; of a unit that is not in a map, it has nothing. */
export interface AgentDescription {
  /** Its units, and what it was told last to make of them. */
  readonly targets: ReadonlyMap<UnitName, LaunchState>;
  /** What it says of them. */
  readonly rows: ReadonlyMap<UnitName, UnitRow>;
  /** What the store is not known to have been told yet. */
  readonly unwritten: ReadonlyMap<UnitName, UnitRow>;
}

export interface DescribedAgent {
  readonly known: ReadonlyMap<UnitName, KnownUnit>;
  readonly pass: Pick<AgentPass, 'rows'>;
  readonly publisher: Pick<StatePublisher, 'unwritten'>;
}

/** What an agent has in mind now. */
export function describeAgent({ known, pass: { rows }, publisher: { unwritten } }: DescribedAgent): AgentDescription {
  return { targets: new Map(Array.from(known, ([name, unit]) => [name, targetOf(unit)])), rows, unwritten };
}

/** A unit that is to leave is known without an order. */
function targetOf({ isLaunched, order }: KnownUnit): LaunchState {
  if (isLaunched) return 'launched';
  return order === undefined ? 'inactive' : 'loaded';
}
