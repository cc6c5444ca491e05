import { sleep, systemClock } from '@flotilla/runtime';
import { createLab, type Lab, LabInUseError, labObstacle } from '../lab/index.js';
import { demoLab, findRunningDemo } from './running.js';
import { directions, tour } from './tour.js';

/** Conventional: 128 and the signal's number. */
const signalExitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
type Signal = keyof typeof signalExitCodes;

/** Any time will do: a pending timer is what keeps Node running. */
const hourMs = 3_600_000;

const usage = 'usage: npm run demo [-- --once]';
const isOnce = process.argv.includes('--once');

const say = (line: string) => console.log(line);

/** Resolves with the first signal that asks the demo to end; later ones change nothing. */
function firstSignal(): Promise<Signal> {
  return new Promise((resolve) => {
    for (const signal of Object.keys(signalExitCodes) as Signal[]) process.on(signal, () => resolve(signal));
  });
}

/** Runs the whole demo. @returns The exit code. */
async function demo(signal: Promise<Signal>): Promise<number> {
  say('Booting three hosts with systemd, and etcd');
  const lab = await createLab({ name: demoLab, hosts: 3 });
  try {
    const ended = await Promise.race([signal, tour(lab, say)]);
    if (ended !== undefined) return signalExitCodes[ended];
    return await stayUp(lab, signal);
  } finally {
    say('\nRemoving the hosts, their network and their files');
    await lab.close();
  }
}

/** Ctrl-C is how the demo is meant to end; any other signal is not. */
async function stayUp(lab: Lab, signal: Promise<Signal>): Promise<number> {
  say(isOnce ? '\nWithout --once it would go on like this.' : '');
  say(directions(lab));
  if (isOnce) return 0;
  const stop = new AbortController();
  void signal.then(() => stop.abort());
  while (!stop.signal.aborted) await sleep(systemClock, hourMs, stop.signal);
  const ended = await signal;
  return ended === 'SIGINT' ? 0 : signalExitCodes[ended];
}

async function refusal(): Promise<string | undefined> {
  if (process.argv.slice(2).some((argument) => argument !== '--once')) return usage;
  return labObstacle() || (await findRunningDemo());
}

// A terminal that was closed must not keep the demo from removing its hosts.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

const refused = await refusal();
if (refused !== undefined) {
  console.error(refused);
  process.exit(refused === usage ? 64 : 1);
}
try {
  process.exitCode = await demo(firstSignal());
} catch (error) {
  // Another demo has begun in the meantime.
  console.error(error instanceof LabInUseError ? await findRunningDemo() : error);
  process.exitCode = 1;
}
process.exit();
