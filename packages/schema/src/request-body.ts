import type * as z from 'zod';

/** A request's body, read. `why` is a sentence for the client. */
export type ParsedBody<T> =
  | { readonly kind: 'parsed'; readonly request: T }
  | { readonly kind: 'refused'; readonly why: string };

/** Reads a body that is to be JSON of a shape. */
export function parseBody<T>(bytes: Uint8Array, schema: z.ZodType<T>): ParsedBody<T> {
  let decoded: unknown;
  try {
    decoded = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return { kind: 'refused', why: error instanceof Error ? error.message : String(error) };
  }
  const result = schema.safeParse(decoded);
  return result.success
    ? { kind: 'parsed', request: result.data }
    : { kind: 'refused', why: explainIssue(result.error.issues[0]) };
}

/** {@link parseBody} where an empty body says the same as `{}`. */
export function parseBodyOrNone<T>(bytes: Uint8Array, schema: z.ZodType<T>): ParsedBody<T> {
  return parseBody(bytes.length === 0 ? emptyObject : bytes, schema);
}

const emptyObject = new TextEncoder().encode('{}');

/** An issue as a sentence for the client. */
export function explainIssue(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return 'unexpected content';
  const place = issue.path.map(String).join('.');
  return place === '' ? issue.message : `${place}: ${issue.message}`;
}
