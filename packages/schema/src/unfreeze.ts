import type { UnfreezeRequest } from './entities.js';
import { explainIssue } from './put-unit.js';
import { unfreezeRequestSchema } from './validation.js';

export type ParsedUnfreeze =
  | { readonly kind: 'parsed'; readonly request: UnfreezeRequest }
  /** `why` is a sentence for the client. */
  | { readonly kind: 'refused'; readonly why: string };

/** Reads the body of `POST machines/<id>/unfreeze`. */
export function parseUnfreeze(bytes: Uint8Array): ParsedUnfreeze {
  let decoded: unknown;
  try {
    decoded = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return { kind: 'refused', why: error instanceof Error ? error.message : String(error) };
  }
  const result = unfreezeRequestSchema.safeParse(decoded);
  return result.success
    ? { kind: 'parsed', request: result.data }
    : { kind: 'refused', why: explainIssue(result.error.issues[0]) };
}
