import { fitsGlobal, globalsOn, isWanted, type Machine, type Unit } from '@flotilla/cluster';
import { noRequirements, type Requirements, type UnitName } from '@flotilla/unit';
import type { GlobalUnit, ScheduledUnit } from './assignment-view.js';

/** What it depends on which global units run on a machine. */
export interface GlobalSources {
  readonly machine: Pick<Machine, 'metadata'>;
  readonly schedule: ReadonlyMap<UnitName, ScheduledUnit>;
  readonly globals: ReadonlyMap<UnitName, GlobalUnit>;
  /** Of global units, and of those that are scheduled here where {@link fittingGlobals} finds any. */
  readonly requirements: ReadonlyMap<UnitName, Requirements>;
}

/** The wanted global units that this machine could run, if nothing here conflicts with them. */
export function fittingGlobals(sources: GlobalSources): Unit[] {
  const { machine, schedule, globals } = sources;
  const fitting: Unit[] = [];
  for (const [name, { record, uid }] of globals) {
    const required = sources.requirements.get(name);
    if (required === undefined || isResident(schedule.get(name))) continue;
    const { hash, desiredState } = record;
    // Whether a unit is global, its record says, to the engine as to the agents.
    const requirements = required.isGlobal ? required : { ...required, isGlobal: true };
    const unit = { name, hash, requirements, desiredState, createdAt: uid };
    if (isWanted(unit) && fitsGlobal(unit, machine)) fitting.push(unit);
  }
  return fitting;
}

/** The names of the global units that run here. */
export function globalsHere(sources: GlobalSources): Set<UnitName> {
  const running = globalsOn(sources.machine, fittingGlobals(sources), residents(sources));
  return new Set(running.map(({ name }) => name));
}

/** Whether a unit is scheduled here to stay. */
export function isResident(scheduled: ScheduledUnit | undefined): scheduled is ScheduledUnit {
  return scheduled !== undefined && !scheduled.record.isLeaving && scheduled.record.desiredState !== 'inactive';
}

function residents({ schedule, requirements }: GlobalSources): Unit[] {
  const found: Unit[] = [];
  for (const [name, scheduled] of schedule) {
    if (!isResident(scheduled)) continue;
    const { hash, desiredState, uid } = scheduled.record;
    // Of a unit whose file can't be read, only the name is known: others may still conflict with that.
    const required = requirements.get(name) ?? noRequirements;
    found.push({ name, hash, requirements: required, desiredState, createdAt: uid });
  }
  return found;
}
