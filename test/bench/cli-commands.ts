import { join } from 'node:path';
import {
  endpointOf,
  findLeader,
  type Lab,
  listUnits,
  mustFleetctl,
  runCommand,
  singleFiles,
  type TestHost,
} from '../lab/index.js';
import { instances, sleeper } from './host-fleetd.js';
import { type ProcessTime, readProcessTime, underClock } from './process-time.js';
import { median, percentile } from './stopwatch.js';

export interface CommandsOptions {
  readonly lab: Lab;
  readonly units: number;
  readonly rounds: number;
  readonly print: (line: string) => void;
}

/** A command that is timed, and what follows it in each round without being timed. */
interface Timed {
  readonly says: string;
  /** Run there instead of outside. */
  readonly on?: TestHost;
  readonly argv: readonly string[];
}

const probe = 'probe.service';

/** Times single commands while many units run, beside a Node that does nothing and systemd's own list. */
export async function benchCommands({ lab, units, rounds, print }: CommandsOptions): Promise<void> {
  const leader = await findLeader(lab);
  const host = leader?.host ?? lab.hosts[0];
  if (host === undefined) throw new Error('the lab has no hosts');
  await startMany(host, units);
  const commands = await listCommands(host, units);
  const times = new Map<string, ProcessTime[]>();
  for (let round = 0; round < rounds; round++)
    for (const command of inTurn(commands, round))
      times.set(command.says, [...(times.get(command.says) ?? []), await run(command)]);
  print(`cli: ${units} units run on three hosts, ${rounds} rounds; milliseconds of a process from fork to end`);
  print(`  ${'command'.padEnd(36)} ${['p50', 'p99', 'processor'].map((word) => word.padStart(9)).join('')}`);
  for (const { says } of commands) {
    const all = times.get(says) ?? [];
    const wall = all.map(({ ms }) => ms);
    const cells = [median(wall), percentile(wall, 99), median(all.map(({ cpuMs }) => cpuMs))];
    print(`  ${says.padEnd(36)} ${cells.map((ms) => String(Math.round(ms)).padStart(9)).join('')}`);
  }
}

async function startMany(host: TestHost, units: number): Promise<void> {
  for (const name of ['many@.service', probe]) {
    await host.writeFile(`/root/${name}`, sleeper);
    await mustFleetctl(host, ['submit', `${host.root}/root/${name}`]);
  }
  await mustFleetctl(host, ['start', ...instances('many', units)], { timeoutMs: 300_000 });
}

async function listCommands(host: TestHost, units: number): Promise<Timed[]> {
  const rows = await listUnits(host);
  const local = rows.find(({ machine }) => machine === host.machineId);
  const remote = rows.find(({ machine }) => machine !== '-' && machine !== host.machineId);
  const program = [process.execPath, join(singleFiles, 'fleetctl')];
  const fleetctl = (...args: string[]) => ({
    says: `fleetctl ${args[0]}`,
    argv: [...program, `--endpoint=${endpointOf(host)}`, ...args],
  });
  const all = [
    { says: 'node -e 0', argv: [process.execPath, '-e', '0'] },
    fleetctl('version'),
    fleetctl('list-units'),
    fleetctl('list-unit-files'),
    fleetctl('list-machines'),
    { says: `systemctl list-units, ${Math.round(units / 3)} on a host`, argv: ['systemctl', 'list-units'], on: host },
    fleetctl('start', probe),
    fleetctl('stop', probe),
  ];
  for (const [says, row] of [
    ['the same host', local],
    ['another host', remote],
  ] as const)
    if (row !== undefined) all.push({ ...fleetctl('status', row.unit), says: `fleetctl status, unit of ${says}` });
  return all;
}

/** In turns from either end, so that a slow minute meets all; only `start` stays before `stop`. */
function inTurn(commands: readonly Timed[], round: number): readonly Timed[] {
  if (round % 2 === 0) return commands;
  const pair = commands.filter(({ argv }) => argv.at(-1) === probe);
  return [...pair, ...commands.filter((command) => !pair.includes(command)).toReversed()];
}

async function run({ argv, on }: Timed): Promise<ProcessTime> {
  const clocked = underClock(argv);
  const { code, stderr } = await (on === undefined ? runCommand(clocked) : on.exec(clocked));
  if (code !== 0) throw new Error(`exit ${code}: ${argv.join(' ')}\n${stderr}`);
  return readProcessTime(stderr);
}
