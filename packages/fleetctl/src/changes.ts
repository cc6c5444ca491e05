import { type Client, mapInFlight, type OperationOutcome } from '@flotilla/client';
import type { BatchOperationEntity } from '@flotilla/schema';
import { isAboutOneUnit, messageOf } from './errors.js';
import type { Follow } from './follow.js';
import type { ChosenUnit } from './selection.js';

/** What a command wants of one unit. */
export interface Change {
  readonly name: string;
  /** Absent if all is asked for already. */
  readonly operation?: BatchOperationEntity;
  /** Says so, or follows it, once it is asked for; in the order of the command's units. */
  settle(outcome: Exclude<OperationOutcome['kind'], 'refused'> | 'unasked'): void;
}

/** How {@link changeUnits} goes about it. */
export interface ChangeOptions {
  readonly units: readonly ChosenUnit[];
  readonly follow: Follow;
  /** The word for error messages, like `starting`. */
  readonly doing: string;
  /** The same for what comes before, and for content that is put. @default `doing` */
  readonly preparing?: string;
  /** Decides on one unit; `undefined`: nothing is to be done, and what there is to say has been said. */
  plan(unit: ChosenUnit): Promise<Change | undefined>;
}

/** Plans all changes, asks for them together, and settles each. What fails for one unit does not touch the others. */
export async function changeUnits(client: Client, options: ChangeOptions): Promise<void> {
  const { units, follow, doing, preparing = doing, plan } = options;
  const fail = (name: string, error: unknown, change?: Change) => {
    if (!isAboutOneUnit(error)) throw error;
    const message = messageOf(error);
    const word = change === undefined || hasContent(change) ? preparing : doing;
    follow.fail(`Error ${word} units: ${message.includes(name) ? message : `${name}: ${message}`}`);
    return undefined;
  };
  const planned = await mapInFlight(units, (unit) => plan(unit).catch((error) => fail(unit.name, error)));
  const changes = planned.filter((change) => change !== undefined);
  const outcomes = await client.batch(changes.flatMap(({ operation }) => operation ?? []));
  follow.asked(outcomes.size);
  for (const change of changes) {
    const outcome = outcomes.get(change.name);
    if (outcome?.kind === 'refused') fail(change.name, outcome.error, change);
    else change.settle(outcome?.kind ?? 'unasked');
  }
}

function hasContent({ operation }: Change): boolean {
  return operation?.op === 'put' && operation.unit.options !== undefined;
}
