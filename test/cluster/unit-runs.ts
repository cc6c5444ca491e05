import assert from 'node:assert/strict';
import { journalsOf, listUnits, showUnits, type TestHost, waitUntil } from '../lab/index.js';

/** What systemd says of a unit on a host. Another main PID, invocation or count of restarts says that it was touched. */
export interface UnitRun {
  readonly mainPid: string;
  readonly invocation: string;
  readonly restarts: string;
  readonly active: string;
  readonly sub: string;
}

/** By host and unit, as in `host-1 test-a.service`. */
export type Runs = ReadonlyMap<string, UnitRun>;

const properties = ['Id', 'MainPID', 'InvocationID', 'NRestarts', 'ActiveState', 'SubState'];

/** What systemd on each host that is up says of the fleet's units that it has loaded: those called `test-...`. */
export async function recordRuns(hosts: readonly TestHost[]): Promise<Runs> {
  const up = hosts.filter(({ isUp }) => isUp);
  const entries = await Promise.all(up.map(runsOn));
  return new Map(entries.flat());
}

/** Checks that nothing has become of what was recorded: same PIDs, invocations, counts of restarts, states. */
export async function assertUntouched(before: Runs, hosts: readonly TestHost[]): Promise<void> {
  const now = await recordRuns(hosts);
  const told = [...before].filter(([at, run]) => describeRun(run) !== describeRun(now.get(at)));
  const lines = told.map(([at, run]) => `${at}\n  was ${describeRun(run)}\n  is  ${describeRun(now.get(at))}`);
  if (lines.length > 0) assert.fail(`something became of units:\n${lines.join('\n')}\n${await journalsOf(hosts)}`);
}

/** The records of what runs, of some units only. */
export function runsOf(runs: Runs, names: readonly string[]): Runs {
  return new Map([...runs].filter(([at]) => names.includes(at.split(' ')[1] ?? '')));
}

/**
 * Waits until list-units, asked of one host, says of every unit on each of the others what systemd says there.
 *
 * @returns What systemd says.
 */
export async function untilTold(asked: TestHost, hosts: readonly TestHost[], timeoutMs = 30_000): Promise<Runs> {
  const { runs } = await waitUntil({
    what: `list-units on ${asked.name} agrees with systemd on ${hosts.map(({ name }) => name).join(', ')}`,
    read: async () => {
      const [rows, runs] = await Promise.all([listUnits(asked), recordRuns(hosts)]);
      const named = rows.flatMap(({ unit, machine, active, sub }) => {
        const host = hosts.find(({ machineId }) => machineId === machine);
        return host === undefined ? [] : [[`${host.name} ${unit}`, `${active}/${sub}`] as const];
      });
      return { runs, differences: differences(new Map(named), runs) };
    },
    until: (seen) => seen.differences.length === 0,
    timeoutMs,
    onTimeout: () => journalsOf(hosts),
  });
  return runs;
}

/** A unit that systemd does not have loaded is inactive, whether there is a row of it or not. */
function differences(told: ReadonlyMap<string, string>, said: Runs): string[] {
  const names = [...new Set([...told.keys(), ...said.keys()])].sort();
  return names.flatMap((at) => {
    const { active, sub } = said.get(at) ?? { active: 'inactive', sub: 'dead' };
    const row = told.get(at) ?? 'inactive/dead';
    return row === `${active}/${sub}` ? [] : [`${at} is ${active}/${sub}, and list-units says ${row}`];
  });
}

async function runsOn(host: TestHost): Promise<[string, UnitRun][]> {
  const units = await showUnits(host, properties, ['test-*']);
  const own = units.filter((unit) => !unit.get('Id')?.endsWith('.slice'));
  return own.map((unit) => [`${host.name} ${unit.get('Id') ?? ''}`, runFrom(unit)]);
}

function runFrom(unit: ReadonlyMap<string, string>): UnitRun {
  const of = (property: string) => unit.get(property) ?? '';
  const [mainPid, invocation, restarts] = [of('MainPID'), of('InvocationID'), of('NRestarts')];
  return { mainPid, invocation, restarts, active: of('ActiveState'), sub: of('SubState') };
}

function describeRun(run: UnitRun | undefined): string {
  return run === undefined ? 'not loaded' : Object.values(run).join(' ');
}
