import type { AgentDescription } from '@flotilla/agent';
import type { UnitRow } from '@flotilla/registry';
import type { UnitName } from '@flotilla/unit';

const nothing: AgentDescription = { targets: new Map(), rows: new Map(), unwritten: new Map() };

/** What fleetd writes at SIGUSR1: one line of JSON, in the shape that fleet has it. */
export function formatDump(machine: string, { targets, rows, unwritten } = nothing): string {
  const states = (some: ReadonlyMap<UnitName, UnitRow>) => byName(some, (name, row) => toDumped(machine, name, row));
  return JSON.stringify({
    Agent: { Cache: { TargetStates: byName(targets, (_, target) => target) } },
    UnitStatePublisher: { Cache: states(rows), ToPublish: states(unwritten) },
    UnitStateGenerator: { Subscribed: [...targets.keys()].sort() },
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
