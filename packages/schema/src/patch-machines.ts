import * as z from 'zod';
import { firstJsonValue } from './first-json-value.js';
import { withKnownKeys } from './put-unit.js';
import { explainIssue, type ParsedBody } from './request-body.js';

/** One operation of `PATCH machines`. What its words may be has not been looked at yet. */
export interface PatchOperation {
  readonly op: string;
  readonly path: string;
  /** Empty if there is none. */
  readonly value: string;
}

const value = z.preprocess(
  (given) => (typeof given === 'string' ? { value: given } : withKnownKeys(given, ['value'])),
  z.object({ value: z.string().default('') }),
);
const operation = z.preprocess(
  (given) => withKnownKeys(given, ['op', 'path', 'value']),
  z.object({ op: z.string().default(''), path: z.string().default(''), value: value.default({ value: '' }) }),
);
const body = z.array(operation);

/**
 * Reads the body of `PATCH machines`: as generously as fleet's server, and a value may stand for itself or be in an
 * object (`{"value": "..."}`), as fleet's documentation and fleet's server have it.
 */
export function parsePatchMachines(bytes: Uint8Array): ParsedBody<readonly PatchOperation[]> {
  let decoded: unknown;
  try {
    decoded = firstJsonValue(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return { kind: 'refused', why: error instanceof Error ? error.message : String(error) };
  }
  const result = body.safeParse(decoded ?? []);
  if (!result.success) return { kind: 'refused', why: explainIssue(result.error.issues[0]) };
  return { kind: 'parsed', request: result.data.map((each) => ({ ...each, value: each.value.value })) };
}
