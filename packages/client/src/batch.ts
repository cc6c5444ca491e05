import { FleetError } from '@flotilla/errors';
import type { BatchAnswer, BatchOperationEntity } from '@flotilla/schema';
import { apiError, decode } from './answer.js';
import { mapInFlight } from './concurrency.js';
import { ApiError } from './errors.js';
import type { Transport } from './transport.js';
import { unitPath } from './unit-path.js';

/**
 * What came of one operation. `created` also stands for new content under a known name, `updated` for a desired state
 * that was set; `absent`: there was nothing to delete.
 */
export type OperationOutcome =
  | { readonly kind: 'created' | 'updated' | 'deleted' | 'absent' }
  | { readonly kind: 'refused'; readonly error: ApiError };

/** Half of what the API takes in one request: the cluster gets to work while the rest is on its way. */
const mostOperations = 500;
/** A quarter of what the API takes. */
const mostBytes = 1024 * 1024;

/** An operation, and what is needed to send it. */
interface Letter {
  readonly operation: BatchOperationEntity;
  readonly name: string;
  /** In JSON. */
  readonly text: string;
}

/** Outcomes by unit name. */
type Entries = readonly (readonly [name: string, outcome: OperationOutcome])[];

/** A function like `Client.batch`, over `transport`. It remembers if the server does not know batches. */
export function createBatch(
  transport: Transport,
): (operations: readonly BatchOperationEntity[]) => Promise<Map<string, OperationOutcome>> {
  let isKnown = true;
  const send = async (letters: readonly Letter[]): Promise<Entries> => {
    // A single one has a request in v1, which every server knows.
    if (isKnown && letters.length > 1) {
      const entries = await sendTogether(transport, letters);
      if (entries !== undefined) return entries;
      isKnown = false;
    }
    return mapInFlight(letters, (letter) => sendAlone(transport, letter));
  };
  return async (operations) => {
    const outcomes = new Map<string, OperationOutcome>();
    for (const letters of shares(operations))
      for (const [name, outcome] of await send(letters)) outcomes.set(name, outcome);
    return outcomes;
  };
}

function* shares(operations: readonly BatchOperationEntity[]): Generator<readonly Letter[]> {
  let letters: Letter[] = [];
  let bytes = 0;
  for (const operation of operations) {
    const text = JSON.stringify(operation);
    const size = Buffer.byteLength(text);
    if (letters.length === mostOperations || (letters.length > 0 && bytes + size > mostBytes)) {
      yield letters;
      letters = [];
      bytes = 0;
    }
    letters.push({ operation, name: operation.op === 'put' ? operation.unit.name : operation.name, text });
    bytes += size;
  }
  if (letters.length > 0) yield letters;
}

/** `undefined` if the server has no batches, as fleet's own. A refusal of the whole is one of each operation. */
async function sendTogether(transport: Transport, letters: readonly Letter[]): Promise<Entries | undefined> {
  const body = `{"operations":[${letters.map(({ text }) => text).join(',')}]}`;
  const answer = await transport.send({ method: 'POST', path: '/fleet/v2/batch', body });
  if (answer.status === 404) return undefined;
  if (answer.status >= 400) return letters.map(({ name }) => [name, { kind: 'refused', error: apiError(answer) }]);
  const { results = [] }: Partial<BatchAnswer> = decode(answer);
  return letters.map(({ operation, name }, index) => {
    const result = results[index];
    if (result?.name !== name) throw new FleetError('bad-answer', `the API does not say what came of ${name}`);
    const refusal = () => new ApiError(result.status, result.error?.message ?? '');
    return [name, outcomeOf(operation, result.status, refusal)];
  });
}

async function sendAlone(transport: Transport, { operation, name }: Letter): Promise<Entries[number]> {
  const path = unitPath(name);
  const answer = await (operation.op === 'put'
    ? transport.send({ method: 'PUT', path, body: JSON.stringify(operation.unit) })
    : transport.send({ method: 'DELETE', path }));
  return [name, outcomeOf(operation, answer.status, () => apiError(answer))];
}

function outcomeOf({ op }: BatchOperationEntity, status: number, refusal: () => ApiError): OperationOutcome {
  if (op === 'delete' && status === 404) return { kind: 'absent' };
  if (status >= 400) return { kind: 'refused', error: refusal() };
  if (op === 'delete') return { kind: 'deleted' };
  return { kind: status === 201 ? 'created' : 'updated' };
}
