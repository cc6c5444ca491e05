import type { AgentDescription } from '@flotilla/agent';
import type { DirectoryDescription } from '@flotilla/directories';
import type { UnitRow } from '@flotilla/registry';
import type { UnitName } from '@flotilla/unit';

const nothing: AgentDescription = { targets: new Map(), rows: new Map(), unwritten: new Map() };

export interface Dumped {
  readonly machine: string;
  readonly agent: AgentDescription | undefined;
  readonly directories: readonly DirectoryDescription[];
}

/** What fleetd writes at SIGUSR1: one line of JSON, in the shape that fleet has it, and what fleet did not have. */
export function formatDump({ machine, agent, directories }: Dumped): string {
  const { targets, rows, unwritten } = agent ?? nothing;
  const states = (some: ReadonlyMap<UnitName, UnitRow>) => byName(some, (name, row) => toDumped(machine, name, row));
  return JSON.stringify({
    Agent: { Cache: { TargetStates: byName(targets, (_, target) => target) } },
    UnitStatePublisher: { Cache: states(rows), ToPublish: states(unwritten) },
    UnitStateGenerator: { Subscribed: [...targets.keys()].sort() },
    Directories: directories,
  });
}

function byName<T>(map: ReadonlyMap<UnitName, T>, toJson: (name: UnitName, value: T) => unknown) {
  return Object.fromEntries(Array.from(map, ([name, value]) => [name, toJson(name, value)]).sort());
}

function toDumped(machine: string, name: UnitName, { load, active, sub, hash }: UnitRow) {
  return {
    LoadState: load,
    ActiveState: active,
    SubState: sub,
    MachineID: machine,
    UnitHash: hash,
    UnitName: name,
  };
}
