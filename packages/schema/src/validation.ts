import * as z from 'zod';
import type {
  AlarmEntity,
  ErrorBody,
  ExplanationEntity,
  LossEntity,
  MachineEntity,
  MachinePage,
  PutUnitEntity,
  ReadinessAnswer,
  UnfreezeAnswer,
  UnfreezeRequest,
  UnitEntity,
  UnitOptionEntity,
  UnitPage,
  UnitStateEntity,
  UnitStatePage,
} from './entities.js';

const launchState = z.enum(['inactive', 'loaded', 'launched']);
const nextPageToken = z.string().exactOptional();

/** Checks a {@link UnitOptionEntity}. */
export const unitOptionSchema = z.object({
  name: z.string(),
  section: z.string(),
  value: z.string().exactOptional(),
}) satisfies z.ZodType<UnitOptionEntity>;

/** Checks a {@link UnitEntity}. */
export const unitSchema = z.object({
  currentState: launchState,
  desiredState: launchState,
  file: z.string().exactOptional(),
  fileHash: z.string().exactOptional(),
  machineID: z.string().exactOptional(),
  name: z.string(),
  options: z.array(unitOptionSchema).exactOptional(),
  owner: z.string().exactOptional(),
  reason: z.string().exactOptional(),
  waitingSince: z.number().exactOptional(),
}) satisfies z.ZodType<UnitEntity>;

/** Checks a {@link PutUnitEntity}; `parsePutUnit` also takes what fleet's clients may send. */
export const putUnitSchema = z.object({
  allowUnknown: z.literal(true).exactOptional(),
  desiredState: launchState.exactOptional(),
  file: z.string().exactOptional(),
  name: z.string().exactOptional(),
  options: z.array(unitOptionSchema).exactOptional(),
}) satisfies z.ZodType<PutUnitEntity>;

/** Checks a {@link UnitStateEntity}. */
export const unitStateSchema = z.object({
  error: z.string().exactOptional(),
  hash: z.string(),
  machineID: z.string(),
  name: z.string(),
  order: z.int().exactOptional(),
  since: z.number().exactOptional(),
  systemdActiveState: z.string(),
  systemdLoadState: z.string(),
  systemdSubState: z.string(),
  waitsFor: z.string().exactOptional(),
}) satisfies z.ZodType<UnitStateEntity>;

/** Checks a {@link MachineEntity}. */
export const machineSchema = z.object({
  frozen: z.string().exactOptional(),
  id: z.string(),
  maxUnits: z.int().exactOptional(),
  metadata: z.record(z.string(), z.string()).exactOptional(),
  primaryIP: z.string().exactOptional(),
  version: z.string().exactOptional(),
}) satisfies z.ZodType<MachineEntity>;

/** Checks a {@link UnitPage}. */
export const unitPageSchema = z.object({
  nextPageToken,
  units: z.array(unitSchema).exactOptional(),
}) satisfies z.ZodType<UnitPage>;

/** Checks a {@link UnitStatePage}. */
export const unitStatePageSchema = z.object({
  nextPageToken,
  states: z.array(unitStateSchema).exactOptional(),
}) satisfies z.ZodType<UnitStatePage>;

/** Checks an {@link AlarmEntity}. */
export const alarmSchema = z.object({
  code: z.string(),
  member: z.string().exactOptional(),
  message: z.string(),
}) satisfies z.ZodType<AlarmEntity>;

/** Checks a {@link ReadinessAnswer}. */
export const readinessAnswerSchema = z.object({
  alarms: z.array(alarmSchema).exactOptional(),
  ready: z.boolean(),
  status: z.string().exactOptional(),
  store: z
    .object({
      commitMs: z.int().exactOptional(),
      members: z.array(
        z.object({
          address: z.string(),
          error: z.string().exactOptional(),
          hasLeader: z.boolean().exactOptional(),
          inUseBytes: z.int().exactOptional(),
          quotaBytes: z.number().exactOptional(),
          sizeBytes: z.int().exactOptional(),
          version: z.string().exactOptional(),
        }),
      ),
    })
    .exactOptional(),
}) satisfies z.ZodType<ReadinessAnswer>;

/** Checks a {@link LossEntity}. */
export const lossSchema = z.object({
  machineID: z.string(),
  primaryIP: z.string().exactOptional(),
  since: z.number(),
  state: z.enum(['grace', 'brake', 'rate', 'lost']),
  units: z.int(),
}) satisfies z.ZodType<LossEntity>;

/** Checks a {@link MachinePage}. */
export const machinePageSchema = z.object({
  alarms: z.array(alarmSchema).exactOptional(),
  losses: z.array(lossSchema).exactOptional(),
  machines: z.array(machineSchema).exactOptional(),
  nextPageToken,
}) satisfies z.ZodType<MachinePage>;

/** Checks an {@link ErrorBody}. */
export const errorBodySchema = z.object({
  error: z.object({ code: z.int(), message: z.string() }),
}) satisfies z.ZodType<ErrorBody>;

const unfreezeWord = z.enum(['adopt', 'discard']);

/** Checks an {@link UnfreezeRequest}. Nothing else may stand there: it would be something that is not heeded. */
export const unfreezeRequestSchema = z.strictObject({ how: unfreezeWord }) satisfies z.ZodType<UnfreezeRequest>;

/** Checks an {@link UnfreezeAnswer}. */
export const unfreezeAnswerSchema = z.object({
  frozen: z.string(),
  how: unfreezeWord,
  machineID: z.string(),
  units: z
    .array(
      z.object({
        effect: z.enum(['written-back', 'kept', 'stopped', 'replaced', 'started', 'loaded']),
        name: z.string(),
        why: z.string(),
      }),
    )
    .exactOptional(),
}) satisfies z.ZodType<UnfreezeAnswer>;

/** Checks an {@link ExplanationEntity}. */
export const explanationSchema = z.object({
  desiredState: launchState.exactOptional(),
  heldBack: z.literal(true).exactOptional(),
  leaving: z.array(z.string()).exactOptional(),
  machineID: z.string().exactOptional(),
  machines: z
    .array(
      z.object({
        here: z.literal(true).exactOptional(),
        id: z.string(),
        load: z.int(),
        maxUnits: z.int().exactOptional(),
        misfits: z.array(z.object({ key: z.string(), rule: z.string(), text: z.string() })).exactOptional(),
        preference: z.int().exactOptional(),
        rank: z.int().exactOptional(),
      }),
    )
    .exactOptional(),
  name: z.string(),
  reason: z.string().exactOptional(),
  requirements: z.array(z.string()).exactOptional(),
  standing: z.enum(['placed', 'waiting', 'global', 'inactive', 'template', 'unreadable']),
  strategy: z.enum(['spread', 'binpack', 'random']),
  waitingSince: z.number().exactOptional(),
}) satisfies z.ZodType<ExplanationEntity>;
