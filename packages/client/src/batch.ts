import { FleetError } from '@flotilla/errors';
import type { BatchAnswer, BatchEffectWord, BatchOperationEntity, BatchRequest } from '@flotilla/schema';
import { apiError, decode } from './answer.js';
import { mapInFlight } from './concurrency.js';
import { ApiError } from './errors.js';
import { directoryPath, unitPath } from './paths.js';
import type { Transport } from './transport.js';

/**
 * What came of one operation. `created` also stands for new content under a known name, `updated` for a desired state
 * that was set; `absent`: there was nothing to delete. `effect` is the server's own word, which tells these apart; always
 * there with an owner, else only from servers that say it.
 */
export type OperationOutcome =
  | { readonly kind: 'created' | 'updated' | 'deleted' | 'absent'; readonly effect?: BatchEffectWord }
  | { readonly kind: 'refused'; readonly error: ApiError };

/** On whose behalf units are changed. */
export type BatchOptions = Pick<BatchRequest, 'owner'>;

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

/** A function like `Client.batch`, over `transport`. It remembers what the server knows. */
export function createBatch(
  transport: Transport,
): (operations: readonly BatchOperationEntity[], options?: BatchOptions) => Promise<Map<string, OperationOutcome>> {
  let isKnown = true;
  let knowsOwners = false;
  const sendForUsers = async (letters: readonly Letter[]): Promise<Entries> => {
    // A single one has a request in v1, which every server knows.
    if (isKnown && letters.length > 1) {
      const entries = await sendTogether(transport, letters);
      if (entries !== undefined) return entries;
      isKnown = false;
    }
    return mapInFlight(letters, (letter) => sendAlone(transport, letter));
  };
  const sendForOwner = async (letters: readonly Letter[], owner: string): Promise<Entries> => {
    const error = knowsOwners ? undefined : await findErrorBeforeOwned(transport);
    if (error !== undefined) return letters.map(({ name }) => [name, { kind: 'refused', error }]);
    knowsOwners = true;
    return (await sendTogether(transport, letters, owner)) ?? Promise.reject(noOwners());
  };
  return async (operations, { owner } = {}) => {
    const outcomes = new Map<string, OperationOutcome>();
    for (const letters of shares(operations)) {
      const entries = owner === undefined ? sendForUsers(letters) : sendForOwner(letters, owner);
      for (const [name, outcome] of await entries) outcomes.set(name, outcome);
    }
    return outcomes;
  };
}

/**
 * An older server knows batches, and takes no notice of an owner: it would destroy what is only wanted no longer. So it is
 * asked first, by a request that is of the wrong method for one that knows owners.
 *
 * @returns What would be answered whatever is asked.
 * @throws ApiError if the server knows no owners.
 */
async function findErrorBeforeOwned(transport: Transport): Promise<ApiError | undefined> {
  const answer = await transport.send({ method: 'GET', path: directoryPath('any', 'confirm') });
  if (answer.status === 405) return undefined;
  if (answer.status < 400 || answer.status === 404) throw noOwners();
  return apiError(answer);
}

function noOwners(): ApiError {
  return new ApiError(404, '');
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
async function sendTogether(
  transport: Transport,
  letters: readonly Letter[],
  owner?: string,
): Promise<Entries | undefined> {
  const forOwner = owner === undefined ? '' : `,"owner":${JSON.stringify(owner)}`;
  const body = `{"operations":[${letters.map(({ text }) => text).join(',')}]${forOwner}}`;
  const answer = await transport.send({ method: 'POST', path: '/fleet/v2/batch', body });
  if (answer.status === 404 || answer.status === 405) return undefined;
  if (answer.status >= 400) return letters.map(({ name }) => [name, { kind: 'refused', error: apiError(answer) }]);
  const { results = [] }: Partial<BatchAnswer> = decode(answer);
  return letters.map(({ operation, name }, index) => {
    const result = results[index];
    if (result?.name !== name) throw new FleetError('bad-answer', `the API does not say what came of ${name}`);
    const refusal = () => new ApiError(result.status, result.error?.message ?? '');
    const outcome = outcomeOf(operation, result.status, refusal);
    return [name, result.effect === undefined ? outcome : { ...outcome, effect: result.effect }];
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
