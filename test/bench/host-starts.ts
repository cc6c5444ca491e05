import { systemClock } from '@flotilla/runtime';
import { mustFleetctl, type TestHost, waitUntil } from '../lab/index.js';
import { callsSoFar, instances } from './host-fleetd.js';
import { lastOf, milestones } from './host-journal.js';
import { median, shown } from './stopwatch.js';

/** The goal of the project for 1,000 units at once, as a multiple of systemd's own time. */
const goalRatio = 1.5;

export interface StartsOptions {
  readonly host: TestHost;
  readonly units: number;
  readonly rounds: number;
  readonly print: (line: string) => void;
}

/** What one way took in each round, in milliseconds since the order was given. */
interface Times {
  /** Until the command was done. */
  readonly done: number[];
  /** Until systemd said of the last unit that it has started, or stopped. */
  readonly last: number[];
}

type Way = 'fleet' | 'bare';

/** Starts and stops units through fleetctl, and as many with one bare call of systemctl on the same host; compares. */
export async function benchStarts({ host, units, rounds, print }: StartsOptions): Promise<void> {
  const times = { start: bothWays(), stop: bothWays() };
  const parts = { start: new Map<string, number[]>(), stop: new Map<string, number[]>() };
  const calls = { start: '', stop: '' };
  const run = async (way: Way) => {
    for (const verb of ['start', 'stop'] as const) {
      const before = way === 'fleet' ? await callsSoFar(host) : new Map<string, readonly string[]>();
      const fromMs = systemClock.now();
      await command(host, way, [verb, ...instances(way, units)]);
      times[verb][way].done.push(systemClock.now() - fromMs);
      await untilActive(host, `${way}@*`, verb === 'start' ? units : 0);
      times[verb][way].last.push((await lastOf(host, { verb, template: way, fromMs })) - fromMs);
      if (way === 'bare') continue;
      calls[verb] = describeCalls(before, await callsSoFar(host));
      for (const [what, atMs] of await milestones(host, verb, fromMs))
        parts[verb].set(what, [...(parts[verb].get(what) ?? []), atMs - fromMs]);
    }
    if (way === 'fleet') await mustFleetctl(host, ['destroy', ...instances(way, units)], { timeoutMs: 300_000 });
  };
  // Taking turns, and in turns who goes first: a slow minute of the machine meets both.
  for (let round = 0; round < rounds; round++)
    for (const way of round % 2 ? (['bare', 'fleet'] as const) : (['fleet', 'bare'] as const)) await run(way);
  for (const verb of ['start', 'stop'] as const) {
    const { fleet, bare } = times[verb];
    print(`host: ${verb} of ${units} instances of a template, ${rounds} rounds, median (least - most)`);
    print(`  fleetctl ${verb}, until it is done        ${shown(fleet.done)}`);
    print(`    by systemd, until the last unit is     ${shown(fleet.last)}`);
    print(`  systemctl ${verb}, until it is done       ${shown(bare.done)}`);
    print(`    by systemd, until the last unit is     ${shown(bare.last)}`);
    print(
      `  ratio ${ratio(fleet.done, bare.done)}, by systemd ${ratio(fleet.last, bare.last)} (goal: at most ${goalRatio})`,
    );
    for (const [what, atMs] of parts[verb]) print(`    ${what.padEnd(38)} ${shown(atMs)}`);
    print(`    calls in the last round: ${calls[verb]}`);
  }
}

function bothWays(): Record<Way, Times> {
  return { fleet: { done: [], last: [] }, bare: { done: [], last: [] } };
}

async function command(host: TestHost, way: Way, args: readonly string[]): Promise<void> {
  if (way === 'fleet') await mustFleetctl(host, args, { timeoutMs: 300_000 });
  else await host.mustExec(['systemctl', ...args], { timeoutMs: 300_000 });
}

function ratio(fleet: readonly number[], bare: readonly number[]): string {
  return (median(fleet) / median(bare)).toFixed(2);
}

function describeCalls(
  before: ReadonlyMap<string, readonly string[]>,
  after: ReadonlyMap<string, readonly string[]>,
): string {
  const counts = new Map<string, number>();
  for (const [program, lines] of after) {
    if (program === 'systemd-notify') continue;
    for (const line of lines.slice(before.get(program)?.length ?? 0)) {
      const verb = line.split(' ').find((word) => !word.startsWith('-')) ?? '';
      counts.set(`${program} ${verb}`, (counts.get(`${program} ${verb}`) ?? 0) + 1);
    }
  }
  return [...counts].map(([call, count]) => `${count} ${call}`).join(', ');
}

/** Makes sure, outside of what is timed, that a round did what it says. */
async function untilActive(host: TestHost, pattern: string, count: number): Promise<void> {
  await waitUntil({
    what: `${count} units ${pattern} run`,
    read: () => host.mustExec(['systemctl', 'list-units', '--plain', '--no-legend', '--state=active', pattern]),
    until: (output) => output.split('\n').filter((line) => line.includes('.service')).length === count,
    intervalMs: 200,
  });
}
