import { parseArgs } from 'node:util';
import { systemClock } from '@flotilla/runtime';
import { labObstacle } from '../lab/index.js';
import { runChaos } from './chaos.js';

const usage = `usage: npm run chaos -- [--minutes N] [--seed S] [--hosts N] [--members N]

Boots hosts with systemd, fleetd on each, and members of etcd; harms them for N minutes (5) under a stream of operations,
all by the seed (a new one each time); and sees about every minute that every accepted unit runs where it is to, once,
that nothing else is left, and that nothing was stopped that nobody asked to stop.
Exit code: 0 all is well, 1 it is not, 64 the arguments make no sense.`;

class UsageError extends Error {}

function readArguments() {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string' },
      hosts: { type: 'string', default: '3' },
      members: { type: 'string', default: '3' },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    isHelp: values.help,
    minutes: number('minutes', values.minutes),
    seed: values.seed === undefined ? Math.floor(systemClock.random() * 1_000_000) : number('seed', values.seed),
    hosts: number('hosts', values.hosts),
    members: number('members', values.members),
  };
}

const numbers = {
  seed: { form: /^\d+$/, says: 'a whole number' },
  minutes: { form: /^(?=.*[1-9])\d+(\.\d+)?$/, says: 'a number above 0, like 5 or 0.5' },
  hosts: { form: /^[1-9]\d*$/, says: 'a whole number above 0' },
  members: { form: /^[1-9]\d*$/, says: 'a whole number above 0' },
} as const;

function number(name: keyof typeof numbers, text: string): number {
  const { form, says } = numbers[name];
  if (!form.test(text)) throw new UsageError(`--${name} is "${text}", but must be ${says}`);
  return Number(text);
}

function parsed(): ReturnType<typeof readArguments> {
  try {
    return readArguments();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
    process.exit(64);
  }
}

const { isHelp, ...options } = parsed();
if (isHelp) {
  console.log(usage);
  process.exit(0);
}
const obstacle = labObstacle();
if (obstacle !== false) {
  console.error(obstacle);
  process.exit(1);
}
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    console.error('stopping after this round');
    stop.abort();
  });
/** Lines go above the one that says how far it is, on a terminal. */
let progress = '';
function say(line: string): void {
  const { isTTY } = process.stdout;
  console.log(isTTY ? `\r\x1b[K${line}` : line);
  progress = / (round \d+ of \d+)/.exec(line)?.[1] ?? progress;
  if (isTTY) process.stdout.write(progress);
}

const { failures, summary } = await runChaos({ ...options, say, signal: stop.signal });
console.log(['\n', ...summary].join('\n'));
const { seed, minutes, hosts, members } = options;
if (failures.length > 0) {
  console.log(['', 'NOT AS IT IS TO BE:', ...failures].join('\n'));
  console.log(`once more: npm run chaos -- --minutes ${minutes} --seed ${seed} --hosts ${hosts} --members ${members}`);
} else console.log(`all is well (seed ${seed})`);
process.exit(failures.length > 0 ? 1 : 0);
