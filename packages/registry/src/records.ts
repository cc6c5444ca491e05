import type { LaunchState, MachineId } from '@flotilla/cluster';
import { FleetError } from '@flotilla/errors';
import type { OwnerName, UnitHash, UnitName } from '@flotilla/unit';
import type { Revision } from './store.js';

/** `cluster`: written once, by the first daemon. */
export interface ClusterRecord {
  readonly uuid: string;
  /** Version of the key layout. */
  readonly schema: number;
}

/** `units/<name>`, and the copy of it in `globals/<name>`. */
export interface UnitRecord {
  readonly hash: UnitHash;
  /** SHA-256 of the unit file's bytes, in hex: the key under `unit-files/`. */
  readonly file: string;
  readonly desiredState: LaunchState;
  /**
   * Raised by each restart, and by each start of a unit that is not active: "start it once more"; and by each stop of a unit
   * that is stopped already as far as the cluster knows, and runs: "stop it once more".
   */
  readonly order: number;
  readonly isGlobal: boolean;
  /**
   * The unit's identity, if it is not the record's own create revision: in `globals/` after a unit became global
   * later than it was made.
   */
  readonly uid?: Revision;
  /**
   * The machine that has written the unit back because it runs there: where the unit is placed as long as it fits, when it
   * is placed nowhere and the machine has not been away since. Whoever changes the unit leaves it out.
   */
  readonly runsOn?: MachineId;
  /** Whose the unit's content and existence are. @default whoever uses the API */
  readonly owner?: OwnerName;
  /** The last claim is about to go, and the unit with it. Whoever changes or claims the unit leaves it out. */
  readonly isParting?: true;
}

/** `placements/<name>`. */
export interface PlacementRecord {
  readonly machine: MachineId;
}

/** `schedule/<machine>/<name>`: all that the machine's agent needs to know of a unit. */
export interface ScheduleRecord {
  readonly hash: UnitHash;
  readonly file: string;
  readonly desiredState: LaunchState;
  readonly order: number;
  /** Create revision of `units/<name>`: tells a unit from an earlier one of the same name. */
  readonly uid: Revision;
  /** Stop and unload the unit here; its state row is deleted when that is done. */
  readonly isLeaving: boolean;
}

/** `reasons/<name>`: why a unit waits for a machine. */
export interface ReasonRecord {
  /** Epoch milliseconds. */
  readonly since: number;
  /** How many machines there are. */
  readonly machines: number;
  /** How many of them each kind of misfit rules out. */
  readonly misfits: Readonly<Record<string, number>>;
}

/** `states/<name>/<machine>`: what systemd says, and what the agent has done. */
export interface StateRecord {
  readonly load: string;
  readonly active: string;
  readonly sub: string;
  /** Hash of the copy that is on the machine. */
  readonly hash: UnitHash;
  readonly uid: Revision;
  /** The order that was carried out last; 0 before the first start. */
  readonly order: number;
  /** The unit's start was asked of systemd, and its stop was not since. */
  readonly isLaunched: boolean;
  /** When `active` took its present value, in epoch milliseconds. */
  readonly since: number;
  /** What went wrong with the unit's last load, start or stop. */
  readonly error?: string;
  /** `turn`: it is to be replaced, and others of its kind come first. */
  readonly waitsFor?: 'turn';
}

/** `machines/<id>`: lives as long as the machine's lease. */
export interface MachineRecord {
  /** The address that it is reached at; empty if unknown. */
  readonly address: string;
  /** From the machine's own configuration. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly version: string;
  /** Identity of the installation: random, made once, kept in the state directory. */
  readonly instance: string;
  /** The kernel's boot ID. */
  readonly boot: string;
  /** How long its lease is to live without being renewed. @default unknown: an older version wrote it */
  readonly ttlSeconds?: number;
  /** How many units it takes, from its own configuration. @default no limit of its own */
  readonly maxUnits?: number;
  /** Why the machine starts and stops nothing, if so. */
  readonly frozen?: string;
  /** How many units it holds; only while it is frozen, from when they are all in `held/`. */
  readonly held?: number;
}

/** `held/<machine>/<name>`: a unit that a frozen machine has, on the machine's lease. */
export interface HeldRecord {
  readonly hash: UnitHash;
  readonly file: string;
  /** `launched` if it was started here, or was to be. */
  readonly desiredState: LaunchState;
  readonly isGlobal: boolean;
}

/** What becomes of the units that a frozen machine has: the store gets those it lacks, or its word counts. */
export type UnfreezeWord = 'adopt' | 'discard';

/** `unfreeze/<machine>`: an order to a frozen machine, on the machine's lease. */
export interface UnfreezeRecord {
  readonly how: UnfreezeWord;
}

/** `restarts/<machine>/<name>`: an order for one machine's copy of a global unit; the larger one of this and the unit's holds. */
export interface RestartRecord {
  /** Of the unit that is meant, not of another one of its name. */
  readonly uid: Revision;
  readonly order: number;
}

/** `updates/<group>`: the turn to be replaced, on the machine's lease. */
export interface UpdateRecord {
  readonly machine: MachineId;
  /** The unit that is replaced there. */
  readonly name: UnitName;
}

/** `settings/<key>`: a cluster setting as it was given. */
export interface SettingRecord {
  readonly value: string;
}

/** `settings/machines/<id>`: what one machine was told to do otherwise; outlives the machine's lease. */
export interface MachineSettingsRecord {
  /** How many units it takes. @default what the machine itself says */
  readonly maxUnits?: number;
}

/** `metadata/<id>/<key>`: lies over the machine's own metadata, and outlives its lease. */
export interface MetadataRecord {
  /** Empty: the key is hidden. */
  readonly value: string;
}

/** `members/<id>`: outlives the machine's lease. A member that joined and has no machine record is lost. */
export interface MemberRecord {
  readonly is: 'joined' | 'left';
  readonly address: string;
}

/**
 * How far the leader is with a machine that is gone. `grace`: it may be back in a moment. `brake`: too many are gone at
 * once. `rate`: others come first. `lost`: its units are placed anew.
 */
export type LossState = 'grace' | 'brake' | 'rate' | 'lost';

/** `losses/<id>`: a member that has joined, and whose lease is over. Times in epoch milliseconds, by the leader's clock. */
export interface LossRecord {
  /** When it was found to be gone. */
  readonly since: number;
  readonly state: LossState;
  /** When it came into this state. */
  readonly at: number;
  /** How many units it had then: placed there, or yet to leave. */
  readonly units: number;
  /** Its last address; empty if unknown. */
  readonly address: string;
  /** A person has said that it is lost. */
  readonly isReleased?: true;
}

/** `releases/<id>`: a person's word that a machine which is gone is lost. */
export type ReleaseRecord = Readonly<Record<string, never>>;

/** `leader`: lives as long as the leader's lease; its create revision is the fence. */
export interface LeaderRecord {
  readonly machine: MachineId;
  readonly address: string;
}

/** `compaction`: a point in the history. When it is old enough, what lies before it is forgotten. */
export interface CompactionRecord {
  readonly revision: Revision;
  /** When the store was at that revision, in epoch milliseconds by the clock of the leader of that time. */
  readonly at: number;
}

const text = { encoder: new TextEncoder(), decoder: new TextDecoder() };

/** A record as it is stored: JSON, without spaces. */
export function encodeRecord<T extends object>(record: T): Uint8Array {
  return text.encoder.encode(JSON.stringify(record));
}

/**
 * A stored record. Only its being a JSON object is checked: the store holds what Flotilla wrote.
 *
 * @throws FleetError `bad-record` if it isn't one; the caller leaves the key alone and says so.
 */
export function decodeRecord<T extends object>(key: string, value: Uint8Array): T {
  let decoded: unknown;
  try {
    decoded = JSON.parse(text.decoder.decode(value));
  } catch (cause) {
    throw new FleetError('bad-record', `the value of ${key} is not JSON`, { cause });
  }
  if (typeof decoded !== 'object' || decoded === null)
    throw new FleetError('bad-record', `the value of ${key} is not a record`);
  return decoded as T;
}
