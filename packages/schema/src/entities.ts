/**
 * The JSON shapes of the HTTP API. Types only: nothing is loaded at run time. Lists that are empty and texts that are
 * unknown are absent, and the keys stand in alphabetical order.
 */

/** What was asked of a unit, or where it is. */
export type LaunchStateWord = 'inactive' | 'loaded' | 'launched';

/** One line of a unit file. */
export interface UnitOptionEntity {
  readonly name: string;
  readonly section: string;
  /** Absent if it is empty. */
  readonly value?: string;
}

/** A unit, as `GET units` and `GET units/<name>` answer it. */
export interface UnitEntity {
  /** Always `inactive` for a global unit: it has one state per machine, see {@link UnitStateEntity}. */
  readonly currentState: LaunchStateWord;
  readonly desiredState: LaunchStateWord;
  /** The unit file as it was submitted, comments included. Only in the answer for a single unit. */
  readonly file?: string;
  /** SHA-256 of the unit file's bytes, in hex. */
  readonly fileHash?: string;
  /** Where the unit belongs; absent if it is nowhere, or global. */
  readonly machineID?: string;
  readonly name: string;
  /** In file order. Absent if the file has none. */
  readonly options?: readonly UnitOptionEntity[];
  /** Whose the unit is: the name of a directory, or what `fleetctl apply --owner` was given. Absent: the API's users'. */
  readonly owner?: string;
  /** Why the unit waits for a machine, or for its own one that is gone, as a sentence. */
  readonly reason?: string;
  /** Since when it waits, in epoch milliseconds; present if `reason` tells of that. */
  readonly waitingSince?: number;
}

/** The body of `PUT units/<name>`. */
export interface PutUnitEntity {
  /** Options of `[X-Fleet]` that the server does not know are kept, without effect, instead of refused. */
  readonly allowUnknown?: true;
  /** Stays as it is, or is `inactive` for new content, if absent. */
  readonly desiredState?: LaunchStateWord;
  /** The unit file as it is to be kept, byte for byte; without it the canonical text of `options` is kept. */
  readonly file?: string;
  /** The name in the URL if absent; must not differ from it. */
  readonly name?: string;
  readonly options?: readonly UnitOptionEntity[];
}

/** systemd's word on a unit, on one machine. */
export interface UnitStateEntity {
  /** What went wrong with the unit's last load, start or stop. */
  readonly error?: string;
  /** SHA-1 of the canonical text of the copy on the machine, in hex. */
  readonly hash: string;
  readonly machineID: string;
  readonly name: string;
  /** The order to start the unit that was carried out last; absent before the first one. */
  readonly order?: number;
  /** When the active state took its present value, in epoch milliseconds. */
  readonly since?: number;
  readonly systemdActiveState: string;
  readonly systemdLoadState: string;
  readonly systemdSubState: string;
  /** `turn`: the copy is to be replaced, and others of its kind come first (`Update=rolling`). More words may come. */
  readonly waitsFor?: string;
}

/** A machine whose lease is alive. */
export interface MachineEntity {
  /** Why it starts and stops nothing, if so. */
  readonly frozen?: string;
  readonly id: string;
  /** How many units it takes; absent without a limit. */
  readonly maxUnits?: number;
  /** What counts, whether it comes from the machine or was set. Absent if it has none. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Absent if unknown. */
  readonly primaryIP?: string;
  /** Version of its fleetd. */
  readonly version?: string;
}

/** What all pages have. */
interface Page {
  /** Goes into the query `nextPageToken` of the request for the next page; absent on the last one. */
  readonly nextPageToken?: string;
}

/** `GET units`: by name. */
export interface UnitPage extends Page {
  readonly units?: readonly UnitEntity[];
}

/** `GET state`: by name, then machine. */
export interface UnitStatePage extends Page {
  readonly states?: readonly UnitStateEntity[];
}

/** Something about the cluster's store, etcd, that an operator should see to. */
export interface AlarmEntity {
  /** `store-no-space`, `store-corrupt`, `store-no-leader`, `store-quota` or `store-slow-disk`; more may come. */
  readonly code: string;
  /** Address of the member of etcd that it is about, or its ID; absent if it is about all of them. */
  readonly member?: string;
  /** What is wrong, where, and what to do about it. */
  readonly message: string;
}

/**
 * What the leader makes of a machine that is gone. `grace`: it may be back in a moment. `brake`: too many are gone at once,
 * so nothing is concluded. `rate`: it is lost, but other machines come first. `lost`: its units are placed elsewhere.
 */
export type LossStateWord = 'grace' | 'brake' | 'rate' | 'lost';

/** A machine that is gone and has not left the cluster. */
export interface LossEntity {
  readonly machineID: string;
  /** Its last address; absent if unknown. */
  readonly primaryIP?: string;
  /** When it was found to be gone, in epoch milliseconds. */
  readonly since: number;
  readonly state: LossStateWord;
  /** How many units it had when it went; if it is `lost`, how many were taken from it. */
  readonly units: number;
}

/** `GET machines`: by ID. */
export interface MachinePage extends Page {
  /** The worst first. On the first page only; absent if there are none. */
  readonly alarms?: readonly AlarmEntity[];
  /** By ID. On the first page only; absent if there are none. */
  readonly losses?: readonly LossEntity[];
  readonly machines?: readonly MachineEntity[];
}

/** `GET /readyz`, with status 200 or 503. */
export interface ReadinessAnswer {
  /** What the last look at the store found; absent if there was none, or nothing. They do not make a machine unready. */
  readonly alarms?: readonly AlarmEntity[];
  readonly ready: boolean;
  /** How fleetd fares, for people. */
  readonly status?: string;
  /** How the store was when it was last looked at; absent before the first time. */
  readonly store?: StoreEntity;
}

/** How etcd is. */
export interface StoreEntity {
  /** By how many milliseconds a write is slower than an answer; absent if it was not measured. */
  readonly commitMs?: number;
  /** In the order of `etcd_servers`. */
  readonly members: readonly StoreMemberEntity[];
}

/** One address of etcd. What is not known is absent. */
export interface StoreMemberEntity {
  readonly address: string;
  /** Why it did not answer, if it did not. */
  readonly error?: string;
  readonly hasLeader?: boolean;
  readonly inUseBytes?: number;
  readonly quotaBytes?: number;
  readonly sizeBytes?: number;
  readonly version?: string;
}

/** The body of every answer with a status of 400 or more. */
export interface ErrorBody {
  readonly error: {
    /** The HTTP status. */
    readonly code: number;
    /** Empty if the details are in the daemon's log only. */
    readonly message: string;
  };
}

/** The body of `POST /fleet/v2/machines/<id>/unfreeze`. */
export interface UnfreezeRequest {
  /** `adopt`: the store gets the units that it lacks. `discard`: what it lacks is stopped. */
  readonly how: UnfreezeWord;
}

export type UnfreezeWord = 'adopt' | 'discard';

/** The answer to that request with `?dryRun=true`: what would become of the machine's units. Without it, no `units`. */
export interface UnfreezeAnswer {
  /** Why the machine is frozen. */
  readonly frozen: string;
  readonly how: UnfreezeWord;
  readonly machineID: string;
  /** By name. Absent if there are none. */
  readonly units?: readonly UnfreezeEffectEntity[];
}

/** What becomes of one unit on a machine that is unfrozen. */
export interface UnfreezeEffectEntity {
  readonly effect: UnfreezeEffectWord;
  readonly name: string;
  /** A phrase for people. */
  readonly why: string;
}

export type UnfreezeEffectWord = 'written-back' | 'kept' | 'stopped' | 'replaced' | 'started' | 'loaded';

/** The answer to `GET /fleet/v2/units/<name>/explain`: every machine with every rule. */
export interface ExplanationEntity {
  /** Absent if the unit's record can't be read. */
  readonly desiredState?: LaunchStateWord;
  /** Its machine is away, and it is too early to conclude anything from that. */
  readonly heldBack?: true;
  /** Machines that it was told to leave and has not left, by ID. */
  readonly leaving?: readonly string[];
  /** Where the unit is placed. */
  readonly machineID?: string;
  /** Those that are alive, by ID. Absent if there are none. */
  readonly machines?: readonly MachineFitEntity[];
  readonly name: string;
  /** Why the unit waits, as a sentence; absent if it does not, or is about to be placed. */
  readonly reason?: string;
  /** Its `[X-Fleet]` section, a line each, with specifiers expanded. Absent if it asks for nothing. */
  readonly requirements?: readonly string[];
  readonly standing: UnitStandingWord;
  readonly strategy: 'spread' | 'binpack' | 'random';
  /** Since when it waits, in epoch milliseconds, as far as that is known. */
  readonly waitingSince?: number;
}

/**
 * How a unit stands with the scheduler: it has a machine; is to have one; is to run on all that fit; is to run nowhere;
 * its record or its file can't be read, so that nothing is decided about it.
 */
export type UnitStandingWord = 'placed' | 'waiting' | 'global' | 'inactive' | 'template' | 'unreadable';

/** A unit against one machine. */
export interface MachineFitEntity {
  /** The unit is placed there or, a global one, belongs there. */
  readonly here?: true;
  readonly id: string;
  /** How many units count there, global ones included. */
  readonly load: number;
  /** It takes new ones while it has fewer than this. Absent if there is no limit. */
  readonly maxUnits?: number;
  /** Absent if there are none: the unit may run there. */
  readonly misfits?: readonly MisfitEntity[];
  /** What the unit's preferences make of it. Absent if it has none. */
  readonly preference?: number;
  /** In the order in which the machines that the unit fits would be chosen, from 1 on; absent if none is to be chosen. */
  readonly rank?: number;
}

/** Why a unit may not run on a machine. */
export interface MisfitEntity {
  /** What kind it is and, after a colon, what it is about: `missing-metadata:role=db`. More kinds may come. */
  readonly key: string;
  /** The option of `[X-Fleet]` that it is about, or the machine's own rules `open` and `room`. More may come. */
  readonly rule: string;
  /** In English, about the machine: `lacks role=db`. */
  readonly text: string;
}
