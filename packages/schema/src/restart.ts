import * as z from 'zod';
import { type ParsedBody, parseBodyOrNone } from './request-body.js';

/** The body of `POST /fleet/v2/units/<name>/restart`; an empty one is the same as `{}`. */
export interface RestartRequest {
  /** Of a global unit: on this machine alone. Of another one: only if it belongs there. */
  readonly machineID?: string;
}

/** The answer to that request. */
export interface RestartAnswer {
  /** Where the unit belongs, or the machine that was asked for; absent if it is nowhere, or meant everywhere. */
  readonly machineID?: string;
  readonly name: string;
  /** Carried out on a machine whose unit state says this order, or a larger one. */
  readonly order: number;
}

/** Checks a {@link RestartRequest}. Nothing else may stand there: it would be something that is not heeded. */
export const restartRequestSchema = z.strictObject({
  machineID: z.string().exactOptional(),
}) satisfies z.ZodType<RestartRequest>;

/** Checks a {@link RestartAnswer}. */
export const restartAnswerSchema = z.object({
  machineID: z.string().exactOptional(),
  name: z.string(),
  order: z.int(),
}) satisfies z.ZodType<RestartAnswer>;

/** Reads the body of `POST units/<name>/restart`. */
export function parseRestart(bytes: Uint8Array): ParsedBody<RestartRequest> {
  return parseBodyOrNone(bytes, restartRequestSchema);
}
