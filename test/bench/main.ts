import { cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { runCommand } from '../lab/index.js';
import { benchHost } from './host.js';
import { benchLayout } from './layout.js';
import { benchScheduler } from './scheduler.js';
import { benchStart } from './start.js';
import { benchVersion } from './version.js';

interface BenchOptions {
  readonly units?: number;
  readonly rounds?: number;
  readonly seconds?: number;
}

const benches: Readonly<Record<string, (options: BenchOptions) => Promise<void>>> = {
  start: benchStart,
  host: benchHost,
  layout: benchLayout,
  version: benchVersion,
  scheduler: benchScheduler,
};

const usage = `usage: npm run bench [-- [--units=N] [--rounds=N] [--seconds=N] NAME...]   (names: ${Object.keys(benches).join(', ')})`;

class UsageError extends Error {}

function readArguments(): { readonly names: readonly string[]; readonly options: BenchOptions } {
  const { values, positionals } = parseArgs({
    options: { units: { type: 'string' }, rounds: { type: 'string' }, seconds: { type: 'string' } },
    allowPositionals: true,
  });
  const unknown = positionals.find((name) => !Object.hasOwn(benches, name));
  if (unknown !== undefined) throw new UsageError(`there is no benchmark "${unknown}"`);
  return {
    names: positionals.length > 0 ? positionals : Object.keys(benches),
    options: {
      ...(values.units === undefined ? {} : { units: count(values.units) }),
      ...(values.rounds === undefined ? {} : { rounds: count(values.rounds) }),
      ...(values.seconds === undefined ? {} : { seconds: count(values.seconds) }),
    },
  };
}

function count(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new UsageError(`"${text}" is not a number of things`);
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

function parsed(): ReturnType<typeof readArguments> {
  try {
    return readArguments();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
    process.exit(64);
  }
}

const { names, options } = parsed();
await printMachine();
for (const name of names) await benches[name]?.(options);
