import { cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { runCommand } from '../lab/index.js';
import { benchCli } from './cli.js';
import { benchDirectories } from './directories.js';
import { benchHost } from './host.js';
import { benchLayout } from './layout.js';
import { benchScheduler } from './scheduler.js';
import { benchStart } from './start.js';
import { benchVersion } from './version.js';

interface BenchOptions {
  readonly units?: number;
  readonly rounds?: number;
  readonly seconds?: number;
  readonly runs?: number;
}

interface Bench {
  readonly run: (options: BenchOptions) => Promise<void>;
  readonly says: string;
}

const benches: Readonly<Record<string, Bench>> = {
  start: { run: benchStart, says: '100 starts through fleetctl, and by bare systemctl' },
  host: { run: benchHost, says: '1,000 units on one host: started, stopped, idle' },
  cli: { run: benchCli, says: 'one unit from its submission to running; lists of 1,000 units; single commands' },
  directories: {
    run: benchDirectories,
    says: 'a file in a watched directory until its unit runs; 1,000 at once; apply; idle',
  },
  layout: { run: benchLayout, says: '100,000 units written to etcd and watched' },
  version: { run: benchVersion, says: 'fleetctl version, and a bare Node' },
  scheduler: { run: benchScheduler, says: 'a million units placed in memory' },
};

const usage = `usage: npm run bench [-- [--units=N] [--rounds=N] [--runs=N] [--seconds=N] NAME...]

${Object.entries(benches)
  .map(([name, { says }]) => `  ${name.padEnd(11)} ${says}`)
  .join('\n')}
All of them without a NAME. How many units, how often (commands: --rounds, single starts: --runs), and for how long fleetd
is watched idle, each knows by itself.
Exit code: 0 measured, 64 the arguments make no sense.`;

class UsageError extends Error {}

interface BenchOrder {
  readonly isHelp: boolean;
  readonly names: readonly string[];
  readonly options: BenchOptions;
}

function readArguments(): BenchOrder {
  const number = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    options: {
      units: number,
      rounds: number,
      runs: number,
      seconds: number,
      help: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  const unknown = positionals.find((name) => !Object.hasOwn(benches, name));
  if (unknown !== undefined) throw new UsageError(`there is no benchmark "${unknown}"`);
  return {
    isHelp: values.help,
    names: positionals.length > 0 ? positionals : Object.keys(benches),
    options: {
      ...(values.units === undefined ? {} : { units: count(values.units) }),
      ...(values.rounds === undefined ? {} : { rounds: count(values.rounds) }),
      ...(values.runs === undefined ? {} : { runs: count(values.runs) }),
      ...(values.seconds === undefined ? {} : { seconds: count(values.seconds) }),
    },
  };
}

function count(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new UsageError(`"${text}" is no whole number above 0`);
  return Number(text);
}

async function firstLine(...argv: string[]): Promise<string> {
  const { stdout } = await runCommand(argv);
  return stdout.split('\n')[0] ?? '';
}

async function printMachine(): Promise<void> {
  const processors = cpus();
  const etcd = await firstLine('etcd', '--version').catch(() => 'no etcd');
  const systemd = await firstLine('systemctl', '--version').catch(() => 'no systemd');
  console.log(`${processors.length} cores (${processors[0]?.model ?? 'unknown'}), Linux ${release()}`);
  console.log(`Node ${process.version}, ${etcd}, ${systemd}`);
}

function parsed(): BenchOrder {
  try {
    return readArguments();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
    process.exit(64);
  }
}

const { isHelp, names, options } = parsed();
if (isHelp) {
  console.log(usage);
  process.exit(0);
}
await printMachine();
for (const name of names) await benches[name]?.run(options);
