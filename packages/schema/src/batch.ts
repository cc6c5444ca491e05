import * as z from 'zod';
import type { ErrorBody, PutUnitEntity } from './entities.js';
import { type ParsedPutUnit, readPutUnit } from './put-unit.js';
import { parseBody } from './request-body.js';
import { errorBodySchema, putUnitSchema } from './validation.js';

/** The body of `POST /fleet/v2/batch`: 1 to 1,000 operations, no two on one unit. */
export interface BatchRequest {
  readonly operations: readonly BatchOperationEntity[];
  /**
   * On whose behalf: puts make the units this owner's and say that `fleetctl apply` wants them, deletes say that it no
   * longer does. Puts need `options` or `file`, and their `desiredState`, `launched` if absent, is that of new content.
   *
   * @default the API's users
   */
  readonly owner?: string;
}

/** One operation of a batch; without an owner, it does what the request for the single unit does in v1. */
export type BatchOperationEntity =
  | { readonly op: 'put'; readonly unit: BatchUnitEntity }
  | { readonly name: string; readonly op: 'delete' };

/** What {@link PutUnitEntity} says of a unit, with its name. */
export interface BatchUnitEntity extends PutUnitEntity {
  readonly name: string;
}

/** What came of a batch: one result for each operation, in the same order. */
export interface BatchAnswer {
  readonly results: readonly BatchResultEntity[];
}

/**
 * What an operation has done to its unit. `replaced`: it has new content; `updated`: only another desired state or, for an
 * owner, who wants it; `behind`: an older copy, which is kept for what it is; `kept`: others want it still, or it is not
 * this owner's.
 */
export type BatchEffectWord = 'created' | 'replaced' | 'updated' | 'unchanged' | 'behind' | 'destroyed' | 'kept';

/** What came of one operation. */
export interface BatchResultEntity {
  /** Present if `status` is less than 400. */
  readonly effect?: BatchEffectWord;
  /** As in {@link ErrorBody}; present if `status` is 400 or more. */
  readonly error?: ErrorBody['error'];
  readonly name: string;
  /** The HTTP status that v1 answers the same operation with. */
  readonly status: number;
}

/** How many operations a batch may have. Taste: a thousand units of one small template are some 200 KB. */
export const maxBatchOperations = 1_000;

/** Checks a {@link BatchRequest} but for names that occur twice; `parseBatch` forgives more. */
export const batchRequestSchema = z.object({
  operations: z
    .array(
      z.discriminatedUnion('op', [
        z.object({ op: z.literal('put'), unit: putUnitSchema.extend({ name: z.string() }) }),
        z.object({ op: z.literal('delete'), name: z.string() }),
      ]),
    )
    .min(1)
    .max(maxBatchOperations),
  owner: z.string().exactOptional(),
}) satisfies z.ZodType<BatchRequest>;

/** Checks a {@link BatchAnswer}. */
export const batchAnswerSchema = z.object({
  results: z.array(
    z.object({
      effect: z.enum(['created', 'replaced', 'updated', 'unchanged', 'behind', 'destroyed', 'kept']).exactOptional(),
      error: errorBodySchema.shape.error.exactOptional(),
      name: z.string(),
      status: z.int(),
    }),
  ),
}) satisfies z.ZodType<BatchAnswer>;

/** One operation of a batch. The name has not been looked at yet; what else a unit says may be refused already. */
export type BatchOperation =
  | { readonly op: 'put'; readonly name: string; readonly unit: ParsedPutUnit }
  | { readonly op: 'delete'; readonly name: string };

export type ParsedBatch =
  /** No two are about units of one name. The owner has not been looked at yet. */
  | { readonly kind: 'parsed'; readonly operations: readonly BatchOperation[]; readonly owner: string | undefined }
  /** `why` is a sentence for the client. */
  | { readonly kind: 'refused'; readonly why: string };

const envelope = z.object({
  operations: z
    .array(
      z.discriminatedUnion('op', [
        z.object({ op: z.literal('put'), unit: z.looseObject({ name: z.string() }) }),
        z.object({ op: z.literal('delete'), name: z.string() }),
      ]),
    )
    .min(1)
    .max(maxBatchOperations),
  owner: z.string().exactOptional(),
});

/**
 * Reads the body of `POST batch`. It is refused as a whole if it is not JSON of that shape, or names a unit twice; what
 * a unit says beside its name is read as {@link parsePutUnit} does, and refused for that unit alone.
 */
export function parseBatch(bytes: Uint8Array): ParsedBatch {
  const body = parseBody(bytes, envelope);
  if (body.kind === 'refused') return body;
  const operations = body.request.operations.map(
    (operation): BatchOperation =>
      operation.op === 'put'
        ? { op: 'put', name: operation.unit.name, unit: readPutUnit(operation.unit) }
        : { op: 'delete', name: operation.name },
  );
  const twice = findTwice(operations.map(({ name }) => name));
  return twice === undefined
    ? { kind: 'parsed', operations, owner: body.request.owner }
    : { kind: 'refused', why: `${JSON.stringify(twice)} is named twice` };
}

function findTwice(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}
