import { basename } from 'node:path';
import {
  endpointOf,
  fleetctl,
  journalsOf,
  type Lab,
  listUnits,
  mustFleetctl,
  startFleet,
  type TestHost,
  type UnitRow,
  untilMachines,
  waitUntil,
} from '../lab/index.js';
import { type Examples, readExamples } from './examples.js';

/** Prints a line of progress. */
export type Say = (line: string) => void;

/** The first hosts of a lab: all but the one that gets powered off. */
function hostsThatStay(lab: Lab): TestHost[] {
  return lab.hosts.slice(0, -1);
}

function hostToLose(lab: Lab): TestHost {
  const host = lab.hosts.at(-1);
  if (host === undefined) throw new Error('the demo needs hosts');
  return host;
}

function hostToAsk(lab: Lab): TestHost {
  const [host] = lab.hosts;
  if (host === undefined) throw new Error('the demo needs hosts');
  return host;
}

/** Shows what the cluster does: starts the examples, lists, powers a host off, lists again. */
export async function tour(lab: Lab, say: Say): Promise<void> {
  const examples = await readExamples();
  say('Starting fleetd on each host, as a systemd service with socket activation');
  await startFleet(lab, (host) => ({ agent_ttl: '10s', metadata: metadataFor(host, lab, examples) }));
  await startExamples(lab, examples, say);
  for (const list of ['list-machines', 'list-unit-files', 'list-units']) await show(lab, list, say);
  await loseHost(lab, examples, say);
}

/** The commands with which a person reaches the cluster, once the tour is over. */
export function directions(lab: Lab): string {
  const lines = lab.hosts
    .filter(({ isUp }) => isUp)
    .map((host) => `  dist/fleetctl --endpoint=${endpointOf(host)} list-units`);
  return `The cluster stays up. In another terminal, as root, in this directory, point fleetctl at any host that is on:
${lines.join('\n')}
or say it once and for all:
  export FLEETCTL_ENDPOINT=${endpointOf(hostToAsk(lab))}
  dist/fleetctl list-machines
Ctrl-C here ends it and removes everything.`;
}

/** The first hosts are in one zone, the last one is in another and has nothing that some unit needs. */
function metadataFor(host: TestHost, lab: Lab, { wantedMetadata, spreadKeys }: Examples): string {
  const isStaying = hostsThatStay(lab).includes(host);
  const zones = spreadKeys.map((key) => `${key}=${isStaying ? 'a' : 'b'}`);
  return [`host=${host.name}`, ...zones, ...(isStaying ? wantedMetadata : [])].join(',');
}

async function startExamples(lab: Lab, examples: Examples, say: Say): Promise<void> {
  const { toStart, toLoad } = examples;
  if (toLoad.length > 0) await command(lab, 'load', toLoad, say);
  await command(lab, 'start', toStart, say);
  const copies = toStart.map((path) => (examples.globals.has(basename(path)) ? lab.hosts.length : 1));
  const wanted = copies.reduce((sum, each) => sum + each, 0);
  await waitUntil({
    what: `${wanted} units run`,
    read: () => listUnits(hostToAsk(lab)),
    until: (rows) => rows.filter(({ active }) => active === 'active').length === wanted,
    timeoutMs: 60_000,
    onTimeout: () => journalsOf(lab.hosts),
  });
}

async function command(lab: Lab, verb: string, paths: readonly string[], say: Say): Promise<void> {
  say(`\n$ fleetctl ${verb} ${paths.map((path) => basename(path)).join(' ')}`);
  say((await mustFleetctl(hostToAsk(lab), [verb, ...paths])).trimEnd());
}

async function show(lab: Lab, list: string, say: Say): Promise<void> {
  say(`\n$ fleetctl ${list}`);
  const { stdout, stderr } = await fleetctl(hostToAsk(lab), [list]);
  say((stdout + stderr).trimEnd());
}

async function loseHost(lab: Lab, examples: Examples, say: Say): Promise<void> {
  const { globals } = examples;
  const asked = hostToAsk(lab);
  const lost = hostToLose(lab);
  const before = await listUnits(asked);
  const toMove = before.filter(({ unit, machine }) => machine === lost.machineId && !globals.has(unit));
  say(`\nPowering ${lost.name} off (${lost.machineId.slice(0, 8)}...), where ${toMove.length} units would be lost`);
  await lost.powerOff();
  await untilMachines(asked, hostsThatStay(lab));
  const after = await waitUntil({
    what: `the units of ${lost.name} run elsewhere`,
    read: () => listUnits(asked),
    until: (rows) => hasRecovered(before, rows, { lost, examples }),
    timeoutMs: 60_000,
    onTimeout: () => journalsOf(lab.hosts),
  });
  await show(lab, 'list-units', say);
  say('');
  for (const { unit } of toMove) {
    const now = lab.hosts.find(({ machineId }) => machineId === after.find((row) => row.unit === unit)?.machine);
    if (now === undefined) say(`${unit} waits: each host has a unit that it can't share it with`);
    else say(`${unit} moved from ${lost.name} to ${now.name}`);
  }
  for (const unit of globals)
    say(
      `${unit} stayed on ${hostsThatStay(lab)
        .map(({ name }) => name)
        .join(' and ')}`,
    );
}

/**
 * Every unit runs on the other hosts, but for those that can't share one. Units whose host is still there are where they
 * were, unless another one came that they make room for.
 */
function hasRecovered(
  before: readonly UnitRow[],
  now: readonly UnitRow[],
  { lost, examples }: { readonly lost: TestHost; readonly examples: Examples },
): boolean {
  if (now.some(({ machine }) => machine === lost.machineId)) return false;
  return before.every(({ unit, machine, active }) => {
    const rows = now.filter((row) => row.unit === unit && row.active === active);
    if (examples.globals.has(unit)) return machine === lost.machineId || rows.some((row) => row.machine === machine);
    return rows.length === 1 || (rows.length === 0 && machine === lost.machineId && examples.exclusive.has(unit));
  });
}
