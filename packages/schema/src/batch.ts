import * as z from 'zod';
import { type ParsedPutUnit, readPutUnit } from './put-unit.js';
import { parseBody } from './request-body.js';
import { maxBatchOperations } from './validation.js';

/** One operation of a batch. The name has not been looked at yet; what else a unit says may be refused already. */
export type BatchOperation =
  | { readonly op: 'put'; readonly name: string; readonly unit: ParsedPutUnit }
  | { readonly op: 'delete'; readonly name: string };

export type ParsedBatch =
  /** No two are about units of one name. */
  | { readonly kind: 'parsed'; readonly operations: readonly BatchOperation[] }
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
    ? { kind: 'parsed', operations }
    : { kind: 'refused', why: `${JSON.stringify(twice)} is named twice` };
}

function findTwice(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}
