import type { Revision } from '@flotilla/registry';
import type { UnitFileHere, UnitStatus } from '@flotilla/systemd';
import type { UnitHash, UnitName } from '@flotilla/unit';
import type { KnownUnit } from './desired.js';

/** Which start of a unit was carried out last in this boot. */
export interface StartedRecord {
  readonly uid: Revision;
  readonly order: number;
  /** The content that was started, whatever has become of the file since; records of older versions have none. */
  readonly hash?: UnitHash;
  /** It was to be replaced since, in its turn, which did not come yet. */
  readonly isOutdated?: true;
}

/** Where a unit is on this machine: what the disk and systemd say. */
export interface CurrentUnit {
  /** The unit file, if there is one among the agent's. */
  readonly file: UnitFileHere | undefined;
  readonly status: UnitStatus;
  readonly started: StartedRecord | undefined;
  /** What it was last told, as far as that was carried out. */
  readonly known: KnownUnit | undefined;
  /** Something failed a moment ago; nothing is tried before its time has come. */
  readonly isHeld: boolean;
  /** It was told to stop, and has not been seen at rest since. */
  readonly isToldToStop: boolean;
}

/** What {@link currentUnits} puts together, each by unit name. */
export interface CurrentSources {
  readonly files: ReadonlyMap<UnitName, UnitFileHere>;
  readonly statuses: ReadonlyMap<UnitName, UnitStatus>;
  readonly started: ReadonlyMap<UnitName, StartedRecord>;
  readonly known: ReadonlyMap<UnitName, KnownUnit>;
  readonly held: ReadonlySet<UnitName>;
  readonly toldToStop: { has(name: UnitName): boolean };
}

/** The units of `statuses` with what is known of each. */
export function currentUnits({
  files,
  statuses,
  started,
  known,
  held,
  toldToStop,
}: CurrentSources): Map<UnitName, CurrentUnit> {
  const units = new Map<UnitName, CurrentUnit>();
  for (const [name, status] of statuses) {
    units.set(name, {
      file: files.get(name),
      status,
      started: started.get(name),
      known: known.get(name),
      isHeld: held.has(name),
      isToldToStop: toldToStop.has(name),
    });
  }
  return units;
}

/** What systemd is about to do with a unit, or has done. */
export function motion({ active, job }: UnitStatus): 'running' | 'stopping' | 'at-rest' {
  if (job === 'stop') return 'stopping';
  // `systemctl clean` is at work on a unit in maintenance: it is inactive when that is over.
  if ((active === 'deactivating' || active === 'maintenance') && job === undefined) return 'stopping';
  return (active === 'inactive' || active === 'failed') && job === undefined ? 'at-rest' : 'running';
}

/** Whether systemd still has a unit as failed whose file was taken away: whoever did that came no further. */
export function isRemnant({ status }: CurrentUnit): boolean {
  return status.load === 'not-found' && status.active === 'failed' && status.job === undefined;
}

/** Whether nothing of the unit that this agent is answerable for is left here. */
export function isGone({ file, started }: CurrentUnit): boolean {
  return file === undefined && started === undefined;
}
