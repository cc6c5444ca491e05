import { appendFile, readFile } from 'node:fs/promises';
import { sleep, systemClock } from '@flotilla/runtime';
import type { Lab } from '../lab/index.js';
import type { Clients } from './clients.js';
import { type Causes, forbiddenOverlaps, unexplainedEnds } from './explain.js';
import type { FaultInjector } from './faults.js';
import { readHost } from './host-view.js';
import { journalFaults, missedStops, readJournal } from './journal.js';
import { judge, type Problem, registeredOf, type Sight } from './judge.js';
import { overlaps, type Run, readRuns, stopNote } from './runs.js';
import { movesOf, placementsOf, readHistory, readStore, type StoreView } from './store-view.js';
import { chaosUnits, findChaosUnit } from './units.js';

/** What a checkpoint needs to know. */
export interface Scene {
  readonly lab: Lab;
  readonly clients: Clients;
  readonly faults: FaultInjector;
  /** The program of which units note their starts and stops, and its log. */
  readonly note: string;
  readonly runsLog: string;
  /** How long it may take to settle. */
  readonly patienceMs: number;
}

/** What was seen at a checkpoint. */
export interface Findings {
  readonly problems: readonly Problem[];
  readonly settleMs: number;
  /** What was the last to be put right, if anything had to be. */
  readonly lastProblem: Problem | undefined;
  readonly store: StoreView;
  /** Up to when it was looked at what has happened. */
  readonly atMs: number;
  /** Runs of units on two hosts at once since the last checkpoint, allowed ones. */
  readonly overlapsMs: readonly number[];
  readonly stops: number;
  readonly moves: number;
  /** Resident memory of the daemons. */
  readonly residentKiB: readonly number[];
}

/** The last checkpoint: what came after it is looked at. */
export interface Since {
  readonly atMs: number;
  readonly store: StoreView;
}

const lookEveryMs = 700;

/** Waits until all is as it is to be, twice in a row, and then looks at how it came to be so. */
export async function check(scene: Scene, since: Since): Promise<Findings> {
  const startMs = systemClock.now();
  const { problems, lastProblem, sight } = await settle(scene, startMs + scene.patienceMs);
  const settleMs = systemClock.now() - startMs;
  if (problems.length > 0) return { ...nothing, problems, settleMs, lastProblem, store: sight?.store ?? since.store };
  if (sight === undefined) throw new Error('unreachable');
  for (const { name } of chaosUnits) scene.clients.model.settle(name, registeredOf(sight.store, name, scene.note));
  const past = await judgePast(scene, since, sight);
  const residentKiB = sight.hosts.map((host) => host.residentKiB ?? 0);
  return { ...past, settleMs, lastProblem, store: sight.store, residentKiB };
}

const nothing = { atMs: 0, overlapsMs: [], stops: 0, moves: 0, residentKiB: [] };

async function settle(
  scene: Scene,
  deadlineMs: number,
): Promise<Pick<Findings, 'problems' | 'lastProblem'> & { readonly sight: Sight | undefined }> {
  let quiet = 0;
  let lastProblem: Problem | undefined;
  let sight: Sight | undefined;
  let problems: readonly Problem[] = [];
  for (;;) {
    try {
      sight = await look(scene);
      problems = judge(sight);
    } catch (error) {
      problems = [{ unit: '-', host: '-', says: String(error) }];
    }
    quiet = problems.length === 0 ? quiet + 1 : 0;
    lastProblem = problems[0] ?? lastProblem;
    if (quiet === 2 || systemClock.now() > deadlineMs) return { problems, lastProblem, sight };
    await sleep(systemClock, lookEveryMs);
  }
}

async function look({ lab, clients, faults, note, runsLog }: Scene): Promise<Sight> {
  const [store, ...hosts] = await Promise.all([readStore(lab), ...lab.hosts.map(readHost)]);
  const runs = readRuns(await readFile(runsLog, 'utf8'), faults.powerCuts);
  const isKilled = (unit: string, host: string) =>
    runs.findLast((run) => run.unit === unit && run.host === host)?.result === 'signal';
  return { store, hosts, note, possible: (unit) => clients.model.possible(unit), isKilled };
}

async function judgePast(
  { lab, clients, faults, runsLog }: Scene,
  since: Since,
  sight: Sight,
): Promise<Pick<Findings, 'problems' | 'atMs' | 'overlapsMs' | 'stops' | 'moves'>> {
  const nowMs = systemClock.now();
  for (const host of lab.hosts)
    for (const stop of missedStops(await readJournal(host, since.atMs, { output: 'short-unix' })))
      await appendFile(runsLog, stopNote(stop));
  const runs = readRuns(await readFile(runsLog, 'utf8'), faults.powerCuts);
  const ended = runs.filter(({ endMs = 0 }) => endMs > since.atMs);
  const changes = await readHistory(lab, 'placements', since.store.revision);
  const hostOf = (machine: string) => lab.hosts.find(({ machineId }) => machineId === machine)?.name ?? machine;
  const moves = movesOf(placementsOf(since.store), changes, hostOf);
  const recent = <T extends { readonly atMs: number }>(all: readonly T[]) =>
    all.filter(({ atMs }) => atMs >= since.atMs);
  const outages = faults.outages.filter(({ toMs = nowMs }) => toMs > since.atMs);
  const causes: Causes = { outages, moves, asked: recent(clients.asked), kills: recent(faults.kills) };
  const twice = overlaps(runs, nowMs).filter(({ newer }) => newer.startMs > since.atMs);
  const forbidden = forbiddenOverlaps(twice, outages);
  const problems: Problem[] = [
    ...clients.contradictions.splice(0).map((says) => ({ unit: says.split(':')[0] ?? '-', host: '-', says })),
    ...unexplainedEnds(ended, causes).map(({ run, why }) => problemOf(run, `stopped at ${time(run.endMs)}: ${why}`)),
    ...forbidden.map(({ older, newer, lengthMs }) =>
      problemOf(
        newer,
        `ran beside its copy on ${older.host} from ${time(newer.startMs)} for ${Math.round(lengthMs)} ms`,
      ),
    ),
    ...unnoted(runs, sight),
  ];
  for (const host of lab.hosts) {
    const kills = recent(faults.fleetdKills).filter((kill) => kill.host === host.name).length;
    const journal = await readJournal(host, since.atMs, { unit: 'fleet.service' });
    for (const line of journalFaults(journal, kills))
      problems.push({ unit: '-', host: host.name, says: `fleetd: ${line}` });
  }
  const isSingle = ({ older }: { readonly older: Run }) => findChaosUnit(older.unit)?.isGlobal === false;
  const allowed = twice.filter((overlap) => isSingle(overlap) && !forbidden.includes(overlap));
  const stops = ended.filter(({ result }) => result === 'success').length;
  return { problems, atMs: nowMs, overlapsMs: allowed.map(({ lengthMs }) => lengthMs), stops, moves: moves.length };
}

/** Units that are active without having noted a start, or the reverse: their ends would not be seen either. */
function unnoted(runs: readonly Run[], { hosts }: Sight): Problem[] {
  return hosts.flatMap((host) => {
    const running = new Set(
      runs.filter((run) => run.host === host.name && run.endMs === undefined).map(({ unit }) => unit),
    );
    const steady = chaosUnits.filter(({ kind }) => kind !== 'crashing' && kind !== 'failing' && kind !== 'broken');
    return steady.flatMap(({ name }) => {
      const isActive = host.units.get(name)?.active === 'active';
      if (isActive === running.has(name)) return [];
      return [
        {
          unit: name,
          host: host.name,
          says: isActive ? 'runs, and has not noted it' : 'does not run, and has not noted it',
        },
      ];
    });
  });
}

function problemOf({ unit, host }: Run, says: string): Problem {
  return { unit, host, says };
}

function time(atMs: number | undefined): string {
  return new Date(atMs ?? 0).toISOString().slice(11, 23);
}
