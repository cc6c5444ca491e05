import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep, systemClock } from '@flotilla/runtime';
import { createLab, type Lab, startFleet } from '../lab/index.js';
import { check, type Findings, type Scene, type Since } from './checkpoint.js';
import { Clients } from './clients.js';
import { keepEvidence } from './evidence.js';
import { FaultInjector } from './faults.js';
import { type PlanOptions, plan, type Round } from './plan.js';
import { noteProgram } from './runs.js';
import { readStore } from './store-view.js';
import { Tally } from './tally.js';

export interface ChaosOptions extends PlanOptions {
  /** Takes a line for each event, with its time. */
  readonly say: (line: string) => void;
  /** Stops early, and cleans up. */
  readonly signal?: AbortSignal;
}

/** What came of it; no failures is what is wanted. */
export interface ChaosResult {
  readonly failures: readonly string[];
  readonly summary: readonly string[];
}

/** After all is healed: loops try again after 15 s at most, and etcd takes some time to notice. */
const patienceMs = 90_000;

/** A host that is lost is missed after 5 s, so that a round can be short. */
const config = { agent_ttl: '5s', engine_reconcile_interval: '1', verbosity: '1' };

/** Boots a cluster, harms it by plan, and sees after each round that nothing was lost, doubled, or stopped for nothing. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { hosts = 3, members = 3, seed, signal } = options;
  const log = new EventLog(options.say);
  const say = (line: string) => log.add(line);
  say(`seed ${seed}: ${hosts} hosts, ${members} members of etcd`);
  const lab = await createLab({ name: `chaos-${process.pid}`, hosts, etcdMembers: members });
  const tally = new Tally();
  try {
    await startFleet(lab, (host) => ({ ...config, metadata: `host=${host.name}` }));
    const scene = await setScene(lab, say);
    let since: Since = { atMs: systemClock.now(), store: await readStore(lab) };
    const rounds = plan(options);
    for (const [index, round] of rounds.entries()) {
      if (signal?.aborted === true) break;
      say(`round ${index + 1} of ${rounds.length}${round.isHard ? ', a hard one' : ''}`);
      await play(scene, round, tally);
      const findings = await check(scene, since);
      tally.add(findings);
      say(sentence(findings));
      if (findings.problems.length > 0) return await failure({ scene, since, findings, log, tally });
      since = { atMs: findings.atMs, store: findings.store };
    }
    return { failures: [], summary: tally.lines(scene.clients.counts) };
  } finally {
    await lab.close();
  }
}

async function setScene(lab: Lab, say: (line: string) => void): Promise<Scene> {
  const [note, runsLog] = [join(lab.shared, 'note'), join(lab.shared, 'runs.log')];
  await writeFile(runsLog, '');
  await writeFile(note, noteProgram(runsLog));
  await chmod(note, 0o755);
  return {
    lab,
    note,
    runsLog,
    patienceMs,
    clients: new Clients(lab, { note, say }),
    faults: new FaultInjector(lab, say),
  };
}

/** Lets a round's events happen at their times, and waits until all of them are over. */
async function play({ clients, faults }: Scene, { events, lengthMs }: Round, tally: Tally): Promise<void> {
  const startMs = systemClock.monotonicMs();
  const until = (atMs: number) => sleep(systemClock, Math.max(0, startMs + atMs - systemClock.monotonicMs()));
  const under: Promise<void>[] = [];
  for (const event of events) {
    await until(event.atMs);
    if (event.what === 'operation') clients.ask(event);
    else under.push(faults.inject(event).then((isDone) => tally.fault(event.kind, isDone)));
  }
  await until(lengthMs);
  await Promise.all(under);
  await clients.untilIdle();
}

interface Failing {
  readonly scene: Scene;
  readonly since: Since;
  readonly findings: Findings;
  readonly log: EventLog;
  readonly tally: Tally;
}

async function failure({ scene, since, findings, log, tally }: Failing): Promise<ChaosResult> {
  const { lab, runsLog, clients } = scene;
  const { problems } = findings;
  const evidence = await keepEvidence({ lab, runsLog, problems, sinceMs: since.atMs, events: log.lines });
  return { failures: evidence, summary: tally.lines(clients.counts) };
}

/** Longer than a busy machine takes for what goes on by itself. */
const longMs = 10_000;

function sentence({ problems, settleMs, lastProblem, stops, moves, overlapsMs, residentKiB }: Findings): string {
  if (problems.length > 0) return `checked after ${seconds(settleMs)}: ${problems.length} problems`;
  const memory = residentKiB.map((each) => `${Math.round(each / 1_024)}`).join(', ');
  const twice =
    overlapsMs.length === 0 ? '' : `, ${overlapsMs.length} ran twice for ${seconds(Math.max(...overlapsMs))} at most`;
  const { unit = '', host = '', says = '' } = lastProblem ?? {};
  const last = settleMs > longMs ? ` (until then ${unit} ${host} ${says})` : '';
  return `checked after ${seconds(settleMs)}${last}: ${stops} stops, ${moves} moves${twice}; fleetd has ${memory} MiB`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** Lines with their times, told and kept. */
class EventLog {
  readonly lines: string[] = [];
  readonly #say: (line: string) => void;
  readonly #startMs = systemClock.monotonicMs();

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  add(line: string): void {
    const offset = ((systemClock.monotonicMs() - this.#startMs) / 1_000).toFixed(1).padStart(7);
    const clock = new Date(systemClock.now()).toISOString().slice(11, 21);
    const whole = `${offset} ${clock} ${line}`;
    this.lines.push(whole);
    this.#say(whole);
  }
}
