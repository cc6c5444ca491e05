import * as z from 'zod';
import { type ParsedBody, parseBody } from './request-body.js';

/** A cluster setting. */
export interface SettingEntity {
  /** A value, or the option of the leader's fleetd that it follows. */
  readonly default: string;
  /** What a value looks like, after "must be". */
  readonly expected: string;
  /** One line. */
  readonly help: string;
  readonly isSet: boolean;
  readonly key: string;
  /** Why what is set can't be used, if so; `value` is the default then. */
  readonly problem?: string;
  /** What holds: as it was given, or the default. */
  readonly value: string;
}

/** The answer to `GET` and `PUT /fleet/v2/settings`: all settings, in the order in which people are to see them. */
export interface SettingsAnswer {
  readonly settings: readonly SettingEntity[];
}

/** The body of `PUT /fleet/v2/settings`: what is to be set, by key; `null` is no longer set. The others stay. */
export type SettingsRequest = Readonly<Record<string, string | number | null>>;

/** Checks a {@link SettingsAnswer}. */
export const settingsAnswerSchema = z.object({
  settings: z.array(
    z.object({
      default: z.string(),
      expected: z.string(),
      help: z.string(),
      isSet: z.boolean(),
      key: z.string(),
      problem: z.string().exactOptional(),
      value: z.string(),
    }),
  ),
}) satisfies z.ZodType<SettingsAnswer>;

/** Checks a {@link SettingsRequest}; which keys and values there are is not looked at. */
export const settingsRequestSchema = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.null()], { error: 'must be a text, a number or null' }),
) satisfies z.ZodType<SettingsRequest>;

/** Reads the body of `PUT settings`. */
export function parseSettingsRequest(bytes: Uint8Array): ParsedBody<SettingsRequest> {
  return parseBody(bytes, settingsRequestSchema);
}
