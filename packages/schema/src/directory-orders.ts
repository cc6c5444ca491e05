import * as z from 'zod';
import { type ParsedBody, parseBodyOrNone } from './request-body.js';

/** The answer to `POST /fleet/v2/dirs/<name>/confirm`. */
export interface ConfirmDirectoryAnswer {
  /** Where something was held back, and is now to be done: machine IDs. */
  readonly hosts: readonly string[];
}

/** The body of `POST /fleet/v2/machines/<id>/forget-dirs`; an empty one is the same as `{}`. */
export interface ForgetDirectoriesRequest {
  /** Nothing is done, the answer is what would be. @default false */
  readonly dryRun?: boolean;
}

/** The answer to that request. */
export interface ForgetDirectoriesAnswer {
  /** By name. */
  readonly directories: readonly ForgottenDirectoryEntity[];
}

/** What becomes of a directory's units when a machine is forgotten. */
export interface ForgottenDirectoryEntity {
  /** Those that nobody else wants, by name. */
  readonly destroyed: readonly string[];
  /** How many stay: others want them, or they are not the directory's. */
  readonly kept: number;
  readonly name: string;
}

/** The body of `POST /fleet/v2/units/<name>/adopt`; an empty one is the same as `{}`. */
export interface AdoptUnitRequest {
  /** Whose the unit is from now on. @default the API's users' */
  readonly owner?: string;
}

/** The answer to that request. */
export interface AdoptUnitAnswer {
  /** Whose the unit was. Absent: the API's users'. */
  readonly former?: string;
  /** Whose it is. Absent: the API's users'. */
  readonly owner?: string;
}

/** Checks a {@link ConfirmDirectoryAnswer}. */
export const confirmDirectoryAnswerSchema = z.object({
  hosts: z.array(z.string()),
}) satisfies z.ZodType<ConfirmDirectoryAnswer>;

/** Checks a {@link ForgetDirectoriesRequest}. Nothing else may stand there: it would be something that is not heeded. */
export const forgetDirectoriesRequestSchema = z.strictObject({
  dryRun: z.boolean().exactOptional(),
}) satisfies z.ZodType<ForgetDirectoriesRequest>;

/** Checks a {@link ForgetDirectoriesAnswer}. */
export const forgetDirectoriesAnswerSchema = z.object({
  directories: z.array(z.object({ destroyed: z.array(z.string()), kept: z.int(), name: z.string() })),
}) satisfies z.ZodType<ForgetDirectoriesAnswer>;

/** Checks an {@link AdoptUnitRequest}; which owners there may be is not looked at. */
export const adoptUnitRequestSchema = z.strictObject({
  owner: z.string().exactOptional(),
}) satisfies z.ZodType<AdoptUnitRequest>;

/** Checks an {@link AdoptUnitAnswer}. */
export const adoptUnitAnswerSchema = z.object({
  former: z.string().exactOptional(),
  owner: z.string().exactOptional(),
}) satisfies z.ZodType<AdoptUnitAnswer>;

/** Reads the body of `POST machines/<id>/forget-dirs`. */
export function parseForgetDirectories(bytes: Uint8Array): ParsedBody<ForgetDirectoriesRequest> {
  return parseBodyOrNone(bytes, forgetDirectoriesRequestSchema);
}

/** Reads the body of `POST units/<name>/adopt`. */
export function parseAdoptUnit(bytes: Uint8Array): ParsedBody<AdoptUnitRequest> {
  return parseBodyOrNone(bytes, adoptUnitRequestSchema);
}
