import type { UnitHash, UnitName } from '@flotilla/unit';

/** What is known of one unit on this machine. */
export interface UnitStatus {
  /** systemd's LoadState: `loaded`, `not-found`, `bad-setting`, `error`, `masked`. */
  readonly load: string;
  /** systemd's ActiveState: `active`, `reloading`, `inactive`, `failed`, `activating`, `deactivating`. */
  readonly active: string;
  /** systemd's SubState. */
  readonly sub: string;
  /** Type of the pending job, if there is one: `start`, `stop`, `restart` ... */
  readonly job: string | undefined;
}

/** A unit file to be put on this machine. */
export interface UnitFileToLoad {
  readonly name: UnitName;
  /** The file's bytes, as submitted. */
  readonly content: Uint8Array;
}

/** A unit file that is on this machine. */
export interface UnitFileHere {
  /** Hash of its canonical form; `undefined` if it does not parse. */
  readonly hash: UnitHash | undefined;
  /** SHA-256 of its bytes, in hex. */
  readonly sha256: string;
}

/** What went wrong, by unit; units that are not in it are done. One bad unit never fails the others. */
export type UnitFailures = ReadonlyMap<UnitName, string>;

/**
 * The local systemd, as far as the agent needs it, and the directory of unit files that the agent owns in it. Each
 * method takes all units of a pass at once and makes a bounded number of calls (law 6). A unit that the host has given
 * itself, under the same name, is neither loaded over nor started, restarted or stopped: that is a failure. Methods reject
 * if systemd can't be reached or a directory can't be read, never for one unit.
 */
export interface UnitManager {
  /** The unit files in the directory. */
  listFiles(): Promise<ReadonlyMap<UnitName, UnitFileHere>>;
  /** The bytes of those of `names` that are in the directory and can be read. */
  readFiles(names: readonly UnitName[]): Promise<ReadonlyMap<UnitName, Uint8Array>>;
  /** systemd's word on each of `names`, by one call. A unit that systemd has never heard of is `not-found`. */
  listUnits(names: readonly UnitName[]): Promise<ReadonlyMap<UnitName, UnitStatus>>;
  /** Writes files (new or changed) and makes systemd know them, `[Install]` sections included; reloads if it must. What systemd does not
   * load even when it is asked a second time has failed.
   */
  load(files: readonly UnitFileToLoad[]): Promise<UnitFailures>;
  /** Removes files of stopped units and makes systemd forget them. */
  unload(names: readonly UnitName[]): Promise<UnitFailures>;
  /** Queues start jobs; does not wait for them. */
  start(names: readonly UnitName[]): Promise<UnitFailures>;
  /** Queues restart jobs; does not wait for them. */
  restart(names: readonly UnitName[]): Promise<UnitFailures>;
  /** Queues stop jobs; does not wait for them. */
  stop(names: readonly UnitName[]): Promise<UnitFailures>;
  /** Sends SIGKILL to all processes of units; does not wait for their end. Units without any are done. */
  kill(names: readonly UnitName[]): Promise<UnitFailures>;
  /** What is remembered of states may be wrong: the next listing asks systemd about each of its names. */
  doubt(): void;
  /** Calls back when units may have changed; says not which. Silent while nothing happens. */
  onChange(listener: () => void): { close(): void };
  /** Lets go of systemd; nobody is called back any more. */
  close(): void;
}
