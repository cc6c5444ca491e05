import { deleteUnits, putUnits, type UnitChange, type UnitResult } from '@flotilla/registry';
import { type BatchOperation, parseBatch, toBatchAnswer } from '@flotilla/schema';
import { isUnitName, type UnitName } from '@flotilla/unit';
import type { ApiDeps } from './deps.js';
import { findWrongType } from './json-type.js';
import { type AskedChanges, changeForOwner } from './owned-batch.js';
import { checkOwner } from './owner.js';
import { checkPut } from './put-unit.js';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { failure, json } from './responses.js';
import { createContentReader, type UnitContentReader } from './unit-content.js';
import { noUnit, type Verdict, verdictOnDelete, verdictOnError, verdictOnPut } from './verdict.js';

/** What a batch comes down to: what is settled already, and what the registry is asked for. */
interface Plan extends AskedChanges {
  readonly verdicts: Map<string, Verdict>;
  readonly changes: Map<UnitName, UnitChange>;
  readonly deletions: UnitName[];
  readonly readContent: UnitContentReader;
}

/**
 * `POST batch`: many changes at once, each answered as `PUT units/<name>` or `DELETE units/<name>` would; on behalf of an
 * owner, as what `fleetctl apply` wants for it.
 */
export async function postBatch({ deps, request }: RoutedRequest): Promise<ApiResponse> {
  const wrongType = findWrongType(request);
  if (wrongType !== undefined) return wrongType;
  const batch = parseBatch(request.body);
  if (batch.kind === 'refused') return failure(400, `unable to decode body: ${batch.why}`);
  const checked = checkOwner(batch.owner);
  if (checked.kind === 'refused') return failure(400, checked.why);
  const plan: Plan = { verdicts: new Map(), changes: new Map(), deletions: [], readContent: createContentReader() };
  for (const operation of batch.operations) planOperation(plan, operation);
  const { owner } = checked;
  const results = await (owner === undefined ? changeForUsers(deps, plan) : changeForOwner(deps, owner, plan));
  const { verdicts } = plan;
  for (const [name, result] of results)
    verdicts.set(name, result.kind === 'settled' ? result.outcome : verdictOnError(result.error));
  logErrors(deps, results);
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

async function changeForUsers(
  deps: ApiDeps,
  { changes, deletions }: AskedChanges,
): Promise<ReadonlyMap<UnitName, UnitResult<Verdict>>> {
  const [put, deleted] = await Promise.all([putUnits(deps, changes), deleteUnits(deps, deletions)]);
  return new Map([...judge(put, verdictOnPut), ...judge(deleted, verdictOnDelete)]);
}

function judge<T>(
  results: ReadonlyMap<UnitName, UnitResult<T>>,
  verdictOn: (name: UnitName, outcome: T) => Verdict,
): readonly (readonly [UnitName, UnitResult<Verdict>])[] {
  return [...results].map(([name, result]) => [
    name,
    result.kind === 'failed' ? result : { kind: 'settled', outcome: verdictOn(name, result.outcome) },
  ]);
}

/** Units that went into one transaction have one error. */
function logErrors({ log }: ApiDeps, results: ReadonlyMap<UnitName, UnitResult<Verdict>>): void {
  const unitsByError = new Map<unknown, UnitName[]>();
  for (const [name, result] of results) {
    if (result.kind === 'settled') continue;
    const units = unitsByError.get(result.error) ?? [];
    units.push(name);
    unitsByError.set(result.error, units);
  }
  for (const [error, units] of unitsByError) log.error('operations of a batch failed', { units, error });
}
