import type { LaunchState } from '@flotilla/cluster';
import type { UnitOption } from '@flotilla/unit';
import type { BatchAnswer, BatchEffectWord } from './batch.js';
import type {
  AlarmEntity,
  ErrorBody,
  LossEntity,
  LossStateWord,
  MachineEntity,
  ReadinessAnswer,
  StoreMemberEntity,
  UnfreezeAnswer,
  UnfreezeEffectEntity,
  UnfreezeWord,
  UnitEntity,
  UnitOptionEntity,
  UnitStateEntity,
} from './entities.js';

/** What {@link toUnitEntity} tells of a unit. `undefined` and empty is what there is nothing to tell of. */
export interface DescribedUnit {
  readonly name: string;
  readonly desiredState: LaunchState;
  readonly currentState: LaunchState;
  readonly machineId: string | undefined;
  readonly options: readonly UnitOption[];
  readonly file: string | undefined;
  /** SHA-256 of its bytes, in hex. */
  readonly fileHash: string | undefined;
  readonly owner: string | undefined;
  readonly reason: string | undefined;
  /** In epoch milliseconds. */
  readonly waitingSince: number | undefined;
}

/** What {@link toUnitStateEntity} tells of a unit on one machine. `since` is in epoch milliseconds. */
export interface DescribedUnitState {
  readonly name: string;
  readonly machineId: string;
  readonly hash: string;
  readonly load: string;
  readonly active: string;
  readonly sub: string;
  readonly since: number | undefined;
  readonly order: number;
  readonly error: string | undefined;
  readonly waitsFor: string | undefined;
}

/** What {@link toMachineEntity} tells of a machine. `metadata` is the effective one. */
export interface DescribedMachine {
  readonly id: string;
  readonly address: string;
  readonly maxUnits: number | undefined;
  readonly metadata: ReadonlyMap<string, string>;
  readonly version: string;
  readonly frozen: string | undefined;
}

// Keys are put in alphabetical order below, because JSON.stringify keeps the order in which they were put.

/** The unit as JSON has it. */
export function toUnitEntity(unit: DescribedUnit): UnitEntity {
  return {
    currentState: unit.currentState,
    desiredState: unit.desiredState,
    ...(unit.file === undefined ? {} : { file: unit.file }),
    ...(unit.fileHash === undefined ? {} : { fileHash: unit.fileHash }),
    ...(unit.machineId === undefined ? {} : { machineID: unit.machineId }),
    name: unit.name,
    ...(unit.options.length === 0 ? {} : { options: unit.options.map(toOptionEntity) }),
    ...(unit.owner === undefined ? {} : { owner: unit.owner }),
    ...(unit.reason === undefined ? {} : { reason: unit.reason }),
    ...(unit.waitingSince === undefined ? {} : { waitingSince: unit.waitingSince }),
  };
}

/** The unit state as JSON has it. */
export function toUnitStateEntity(state: DescribedUnitState): UnitStateEntity {
  return {
    ...(state.error === undefined ? {} : { error: state.error }),
    hash: state.hash,
    machineID: state.machineId,
    name: state.name,
    ...(state.order === 0 ? {} : { order: state.order }),
    ...(state.since === undefined ? {} : { since: state.since }),
    systemdActiveState: state.active,
    systemdLoadState: state.load,
    systemdSubState: state.sub,
    ...(state.waitsFor === undefined ? {} : { waitsFor: state.waitsFor }),
  };
}

/** The machine as JSON has it. */
export function toMachineEntity(machine: DescribedMachine): MachineEntity {
  const metadata = [...machine.metadata].sort(([one], [other]) => (one < other ? -1 : 1));
  return {
    ...(machine.frozen === undefined ? {} : { frozen: machine.frozen }),
    id: machine.id,
    ...(machine.maxUnits === undefined ? {} : { maxUnits: machine.maxUnits }),
    ...(metadata.length === 0 ? {} : { metadata: Object.fromEntries(metadata) }),
    ...(machine.address === '' ? {} : { primaryIP: machine.address }),
    ...(machine.version === '' ? {} : { version: machine.version }),
  };
}

/** What {@link toAlarmEntity} tells of an alarm. */
export interface DescribedAlarm {
  readonly code: string;
  readonly member?: string;
  readonly message: string;
}

/** What {@link toReadinessAnswer} tells of a machine; `health` and `alarms` of the last look at the store, if any. */
export interface DescribedReadiness {
  readonly isReady: boolean;
  /** How fleetd fares, in a few words. */
  readonly status?: string | undefined;
  readonly alarms?: readonly DescribedAlarm[];
  readonly health?: {
    readonly commitMs: number | undefined;
    readonly members: readonly DescribedMember[];
  };
}

/** A member of the store, which answered or did not. */
export type DescribedMember =
  | { readonly kind: 'silent'; readonly address: string; readonly why: string }
  | {
      readonly kind: 'answering';
      readonly address: string;
      readonly hasLeader: boolean;
      readonly inUseBytes: number;
      readonly quotaBytes: number | undefined;
      readonly sizeBytes: number;
      readonly version: string;
    };

/** The alarm as JSON has it. */
export function toAlarmEntity({ code, member, message }: DescribedAlarm): AlarmEntity {
  return { code, ...(member === undefined ? {} : { member }), message };
}

/** What {@link toLossEntity} tells of a machine that is gone. `since` is in epoch milliseconds. */
export interface DescribedLoss {
  readonly machineId: string;
  readonly address: string;
  readonly since: number;
  readonly state: LossStateWord;
  readonly units: number;
}

/** The machine that is gone as JSON has it. */
export function toLossEntity({ machineId, address, since, state, units }: DescribedLoss): LossEntity {
  return { machineID: machineId, ...(address === '' ? {} : { primaryIP: address }), since, state, units };
}

/** A machine's readiness as JSON has it. */
export function toReadinessAnswer({ isReady, status, alarms = [], health }: DescribedReadiness): ReadinessAnswer {
  return {
    ...(alarms.length === 0 ? {} : { alarms: alarms.map(toAlarmEntity) }),
    ready: isReady,
    ...(status === undefined ? {} : { status }),
    ...(health === undefined
      ? {}
      : {
          store: {
            ...(health.commitMs === undefined ? {} : { commitMs: Math.round(health.commitMs) }),
            members: health.members.map(toMemberEntity),
          },
        }),
  };
}

function toMemberEntity(member: DescribedMember): StoreMemberEntity {
  if (member.kind === 'silent') return { address: member.address, error: member.why };
  const { address, hasLeader, inUseBytes, quotaBytes, sizeBytes, version } = member;
  return {
    address,
    hasLeader,
    inUseBytes,
    ...(quotaBytes === undefined ? {} : { quotaBytes }),
    sizeBytes,
    ...(version === '' ? {} : { version }),
  };
}

/** What {@link toBatchAnswer} tells of an operation: `message` if the status is an error's, `effect` if it is not. */
export interface DescribedResult {
  readonly name: string;
  readonly status: number;
  readonly effect?: BatchEffectWord;
  readonly message?: string;
}

/** The answer to a batch as JSON has it. */
export function toBatchAnswer(results: readonly DescribedResult[]): BatchAnswer {
  return {
    results: results.map(({ name, status, effect, message }) => ({
      ...(effect === undefined ? {} : { effect }),
      ...(message === undefined ? {} : toErrorBody(status, message)),
      name,
      status,
    })),
  };
}

/** What {@link toUnfreezeAnswer} tells of a machine. */
export interface DescribedUnfreeze {
  readonly frozen: string;
  readonly how: UnfreezeWord;
  readonly machineId: string;
  readonly units: readonly UnfreezeEffectEntity[];
}

/** The answer to a request to unfreeze as JSON has it. */
export function toUnfreezeAnswer({ frozen, how, machineId, units }: DescribedUnfreeze): UnfreezeAnswer {
  return {
    frozen,
    how,
    machineID: machineId,
    ...(units.length === 0 ? {} : { units: units.map(({ effect, name, why }) => ({ effect, name, why })) }),
  };
}

/** The body of an error. `message` is empty if the details are for the log only. */
export function toErrorBody(status: number, message: string): ErrorBody {
  return { error: { code: status, message } };
}

/** Unit file options, as the rest of Flotilla has them. */
export function fromOptionEntities(options: readonly UnitOptionEntity[]): readonly UnitOption[] {
  return options.map(({ section, name, value = '' }) => ({ section, name, value }));
}

function toOptionEntity({ section, name, value }: UnitOption): UnitOptionEntity {
  return value === '' ? { name, section } : { name, section, value };
}
