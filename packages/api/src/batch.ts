import { deleteUnits, putUnits, type UnitChange, type UnitResult } from '@flotilla/registry';
import { type BatchOperation, parseBatch, toBatchAnswer } from '@flotilla/schema';
import { isUnitName, type UnitName } from '@flotilla/unit';
import type { ApiDeps } from './deps.js';
import { findWrongType } from './json-type.js';
import { checkPut } from './put-unit.js';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { failure, json } from './responses.js';
import { createContentReader, type UnitContentReader } from './unit-content.js';
import { noUnit, type Verdict, verdictOnDelete, verdictOnError, verdictOnPut } from './verdict.js';

/** What a batch comes down to: what is settled already, and what the registry is asked for. */
interface Plan {
  readonly verdicts: Map<string, Verdict>;
  readonly changes: Map<UnitName, UnitChange>;
  readonly deletions: UnitName[];
  readonly readContent: UnitContentReader;
}

/** `POST batch`: many changes at once, each answered as `PUT units/<name>` or `DELETE units/<name>` would. */
export async function postBatch({ deps, request }: RoutedRequest): Promise<ApiResponse> {
  const wrongType = findWrongType(request);
  if (wrongType !== undefined) return wrongType;
  const batch = parseBatch(request.body);
  if (batch.kind === 'refused') return failure(400, `unable to decode body: ${batch.why}`);
  const plan: Plan = { verdicts: new Map(), changes: new Map(), deletions: [], readContent: createContentReader() };
  for (const operation of batch.operations) planOperation(plan, operation);
  const { verdicts, changes, deletions } = plan;
  const [put, deleted] = await Promise.all([putUnits(deps, changes), deleteUnits(deps, deletions)]);
  for (const [name, result] of put)
    verdicts.set(
      name,
      verdictOn(result, (outcome) => verdictOnPut(name, outcome)),
    );
  for (const [name, result] of deleted)
    verdicts.set(
      name,
      verdictOn(result, (outcome) => verdictOnDelete(name, outcome)),
    );
  logErrors(deps, [...put, ...deleted]);
  return json(
    toBatchAnswer(batch.operations.map(({ name }) => ({ name, ...(verdicts.get(name) ?? verdictOnError(undefined)) }))),
  );
}

function planOperation({ verdicts, changes, deletions, readContent }: Plan, operation: BatchOperation): void {
  const { op, name } = operation;
  if (op === 'delete') {
    if (isUnitName(name)) deletions.push(name);
    else verdicts.set(name, noUnit);
    return;
  }
  const checked = checkPut(name, operation.unit, readContent);
  if (checked.kind === 'change') changes.set(checked.name, checked.change);
  else verdicts.set(name, checked.verdict);
}

function verdictOn<T>(result: UnitResult<T>, verdictOnOutcome: (outcome: T) => Verdict): Verdict {
  return result.kind === 'settled' ? verdictOnOutcome(result.outcome) : verdictOnError(result.error);
}

/** Units that went into one transaction have one error. */
function logErrors({ log }: ApiDeps, results: readonly (readonly [UnitName, UnitResult<unknown>])[]): void {
  const unitsByError = new Map<unknown, UnitName[]>();
  for (const [name, result] of results) {
    if (result.kind === 'settled') continue;
    const units = unitsByError.get(result.error) ?? [];
    units.push(name);
    unitsByError.set(result.error, units);
  }
  for (const [error, units] of unitsByError) log.error('operations of a batch failed', { units, error });
}
