import * as z from 'zod';
import { type ParsedBody, parseBody } from './request-body.js';

/** The body of `POST /fleet/v2/machines/<id>/metadata`; no key twice. */
export interface MachineMetadataRequest {
  /** What the machine's own configuration says counts again. */
  readonly reset?: readonly string[];
  /** Values by key. */
  readonly set?: Readonly<Record<string, string>>;
  /** The machine has these no more, whatever its own configuration says. */
  readonly unset?: readonly string[];
}

/** The answer to that request. */
export interface MachineMetadataAnswer {
  /** The keys that are unset although the machine has them of its own, or may have them. Absent if there are none. */
  readonly hidden?: readonly string[];
  readonly machineID: string;
  /** What counts now; absent if the machine is not there. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The body of `POST /fleet/v2/machines/<id>/limit`. */
export interface MachineLimitRequest {
  /** How many units the machine takes; `null`: what it says itself, or what goes for all. */
  readonly maxUnits: number | null;
}

/** The answer to that request. */
export interface MachineLimitAnswer {
  readonly machineID: string;
  /** How many units the machine takes now; absent without a limit. */
  readonly maxUnits?: number;
  /** Who says so: this API, the machine's own configuration, or the cluster setting `max_units`. */
  readonly source?: MachineLimitSource;
}

export type MachineLimitSource = 'api' | 'machine' | 'cluster';

/** Checks a {@link MachineMetadataRequest}. Nothing else may stand there: it would be something that is not heeded. */
export const machineMetadataRequestSchema = z.strictObject({
  reset: z.array(z.string()).exactOptional(),
  set: z.record(z.string(), z.string()).exactOptional(),
  unset: z.array(z.string()).exactOptional(),
}) satisfies z.ZodType<MachineMetadataRequest>;

/** Checks a {@link MachineMetadataAnswer}. */
export const machineMetadataAnswerSchema = z.object({
  hidden: z.array(z.string()).exactOptional(),
  machineID: z.string(),
  metadata: z.record(z.string(), z.string()).exactOptional(),
}) satisfies z.ZodType<MachineMetadataAnswer>;

/** Checks a {@link MachineLimitRequest}. */
export const machineLimitRequestSchema = z.strictObject({
  maxUnits: z.int({ error: 'must be a whole number from 1, or null' }).min(1).nullable(),
}) satisfies z.ZodType<MachineLimitRequest>;

/** Checks a {@link MachineLimitAnswer}. */
export const machineLimitAnswerSchema = z.object({
  machineID: z.string(),
  maxUnits: z.int().exactOptional(),
  source: z.enum(['api', 'machine', 'cluster']).exactOptional(),
}) satisfies z.ZodType<MachineLimitAnswer>;

/** Reads the body of `POST machines/<id>/metadata`. */
export function parseMachineMetadata(bytes: Uint8Array): ParsedBody<MachineMetadataRequest> {
  return parseBody(bytes, machineMetadataRequestSchema);
}

/** Reads the body of `POST machines/<id>/limit`. */
export function parseMachineLimit(bytes: Uint8Array): ParsedBody<MachineLimitRequest> {
  return parseBody(bytes, machineLimitRequestSchema);
}
