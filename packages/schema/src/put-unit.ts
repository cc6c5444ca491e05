import type { UnitOption } from '@flotilla/unit';
import * as z from 'zod';
import { firstJsonValue } from './first-json-value.js';
import { explainIssue } from './request-body.js';

/** The body of `PUT units/<name>`, taken apart. Neither the name nor the options have been looked at yet. */
export interface PutUnit {
  readonly name: string | undefined;
  /** Any word: what it may be is checked after the name. */
  readonly desiredState: string | undefined;
  readonly options: readonly UnitOption[];
  readonly file: string | undefined;
  /** Options of `[X-Fleet]` that are not known are no reason to refuse it. */
  readonly allowUnknown?: true;
}

export type ParsedPutUnit =
  | { readonly kind: 'parsed'; readonly put: PutUnit }
  /** `why` is a sentence for the client. */
  | { readonly kind: 'refused'; readonly why: string };

const option = z.preprocess(
  (value) => withKnownKeys(value, ['section', 'name', 'value']),
  z.object({ section: z.string().default(''), name: z.string().default(''), value: z.string().default('') }),
);
const body = z.preprocess(
  (value) => withKnownKeys(value ?? {}, ['name', 'desiredState', 'options', 'file', 'allowUnknown']),
  z.object({
    name: z.string().optional(),
    desiredState: z.string().optional(),
    options: z.array(option).default([]),
    allowUnknown: z.boolean().default(false),
    file: z
      .string()
      .refine((text) => !/\p{Surrogate}/u.test(text), 'holds half a character')
      .optional(),
  }),
);

/**
 * Reads the body of `PUT units/<name>`, as generously as fleet's server does: unknown fields and what follows the first
 * JSON value are ignored, letter case in field names doesn't matter, `null` and empty words are the same as no field.
 */
export function parsePutUnit(bytes: Uint8Array): ParsedPutUnit {
  let decoded: unknown;
  try {
    decoded = firstJsonValue(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return { kind: 'refused', why: error instanceof Error ? error.message : String(error) };
  }
  return readPutUnit(decoded);
}

/** {@link parsePutUnit} of what JSON says already. */
export function readPutUnit(decoded: unknown): ParsedPutUnit {
  const result = body.safeParse(decoded);
  if (!result.success) return { kind: 'refused', why: explainIssue(result.error.issues[0]) };
  const { name, desiredState, options, file, allowUnknown } = result.data;
  return {
    kind: 'parsed',
    put: {
      name: name || undefined,
      desiredState: desiredState || undefined,
      options,
      file,
      ...(allowUnknown && { allowUnknown }),
    },
  };
}

/** An object with only `fields`, found in any letter case; anything that isn't an object is left for the check. */
export function withKnownKeys(value: unknown, fields: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const fieldByLowerCase = new Map(fields.map((field) => [field.toLowerCase(), field]));
  const known: Record<string, unknown> = {};
  for (const [key, content] of Object.entries(value)) {
    const field = fieldByLowerCase.get(key.toLowerCase());
    if (field !== undefined && content !== null) known[field] = content;
  }
  return known;
}
