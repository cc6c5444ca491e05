import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Unit } from '@flotilla/cluster';
import { ClusterIndex, decide, type Plan, schedule } from '@flotilla/engine';
import type { UnitName } from '@flotilla/unit';
import { lateUnit, mixedCluster, plainCluster, type UnsettledCluster } from './scheduler-clusters.js';
import { clocked, median, number, perSecond } from './stopwatch.js';

export interface BenchSchedulerOptions {
  /** Plain ones; a tenth as many with every rule. @default 1_000_000 */
  readonly units?: number;
  /** How often each change is timed. @default 15 */
  readonly rounds?: number;
  /** @default console.log */
  readonly print?: (line: string) => void;
}

/** The goal of the project: plain placements a second, on one core. */
const goalRate = 500_000;
const unitsPerMachine = 200;
const mixedPerMachine = 100;

interface Bench {
  readonly rounds: number;
  readonly print: (line: string) => void;
}

/** An index as a leader has it, all whose units are where they are to be. */
interface Settled {
  readonly index: ClusterIndex;
  /** What the index has touched since this was last cleared. */
  readonly touched: Set<UnitName>;
}

/** Decides where units go and what changes do to that, in memory, on one core, without a store. */
export async function benchScheduler(options: BenchSchedulerOptions = {}): Promise<void> {
  const { units = 1_000_000, rounds = 15, print = console.log } = options;
  const bench = { rounds, print };
  const machines = Math.ceil(units / unitsPerMachine);
  print('scheduler: one core, no store');
  benchPlain(bench, units, machines);
  benchMixed(bench, Math.ceil(units / 10));
  print('one of so many machines is lost, median; everything anew: the same change, decided without an index');
  for (const perMachine of [unitsPerMachine / 10, unitsPerMachine])
    for (const count of [Math.ceil(machines / 10), Math.ceil(machines / 5), machines])
      benchLoss(bench, `${perMachine} plain units a machine`, settle(plainCluster(count * perMachine, count)));
}

function benchPlain(bench: Bench, units: number, machines: number): void {
  const settled = settle(plainCluster(units, machines), {
    ...bench,
    says: `${number(units)} plain units onto ${number(machines)} machines (goal: ${number(goalRate)}/s decided)`,
  });
  benchSubmission(bench, 'a plain unit', settled, lateUnit);
}

function benchMixed(bench: Bench, units: number): void {
  const machines = Math.ceil(units / mixedPerMachine);
  const settled = settle(mixedCluster(units, machines), {
    ...bench,
    says: `${number(units)} units with every rule onto ${number(machines)} machines`,
  });
  benchSubmission(bench, 'a plain unit', settled, lateUnit);
  benchSubmission(bench, 'a unit that conflicts with its kind', settled, (at) => lateUnit(at, 'Conflicts=lb-0000@*'));
  benchLoss(bench, 'units with every rule', settled);
}

/** Builds the index, decides, enters what was decided; tells, if it is to, what each takes. */
function settle(from: UnsettledCluster, told?: Bench & { readonly says: string }): Settled {
  const heapBefore = told && usedHeap();
  const touched = new Set<UnitName>();
  const index = new ClusterIndex({ onTouched: (name) => touched.add(name) });
  const building = clocked(() =>
    index.load(() => {
      for (const machine of from.machines) index.setMachine(machine.id, machine);
      for (const unit of from.units) index.setUnit(unit.name, unit);
    }),
  );
  const heap = told && usedHeap();
  const deciding = clocked(() => decide(index));
  const applying = clocked(() => apply(index, deciding.result));
  if (told !== undefined) {
    const { blocked, decisions } = deciding.result;
    const line = (what: string, count: number, ms: number) =>
      told.print(`  ${what}: ${perSecond(count, ms)} units, ${((ms * 1000) / count).toFixed(2)} us each`);
    told.print(told.says);
    line('index built', from.units.length, building.ms);
    line('decided', from.units.length, deciding.ms);
    line('decisions entered', decisions.length, applying.ms);
    const bytes = ((heap ?? 0) - (heapBefore ?? 0)) / from.units.length;
    told.print(
      `  ${number(decisions.length)} placed, ${number(blocked.size)} wait; ${number(bytes)} bytes of heap a unit in the index`,
    );
  }
  for (let { decisions } = decide(index, touched); decisions.length > 0; { decisions } = decide(index, touched)) {
    touched.clear();
    apply(index, { decisions });
    for (const { unit } of decisions) index.setLeaving(unit, undefined);
  }
  touched.clear();
  return { index, touched };
}

function apply(index: ClusterIndex, { decisions }: Pick<Plan, 'decisions'>): void {
  for (const { kind, unit, machine } of decisions)
    index.setPlacement(unit, kind === 'schedule' ? { machine, since: 2 } : undefined);
}

/** Loses machines, one at a time. */
function benchLoss({ print, rounds }: Bench, says: string, { index, touched }: Settled): void {
  const machines = [...index.cluster.machines.values()];
  const times: number[] = [];
  const counts: number[] = [];
  let anew = '';
  for (const [round, machine] of machines.slice(0, rounds).entries()) {
    const { ms, result } = clocked(() => {
      index.setMachine(machine.id, undefined);
      return decide(index, touched);
    });
    times.push(ms);
    counts.push(result.lookedAt.size);
    if (round === 0) {
      const full = clocked(() => schedule(index.cluster));
      const known = clocked(() => decide(index));
      if (full.result.decisions.length !== result.decisions.length) throw new Error('that was not all');
      anew = `${milliseconds(full.ms)}, or ${milliseconds(known.ms)} with one`;
    }
    index.setMachine(machine.id, machine);
    touched.clear();
  }
  const each = (median(times) * 1000) / median(counts);
  print(
    `  ${number(machines.length)} machines, ${says}: ${milliseconds(median(times))}, ` +
      `${number(median(counts))} units looked at, ${each.toFixed(1)} us each; everything anew: ${anew}`,
  );
}

/** Submits units, one at a time. */
function benchSubmission({ print, rounds }: Bench, says: string, settled: Settled, unitOf: (at: number) => Unit): void {
  const { index, touched } = settled;
  const times: number[] = [];
  const counts: number[] = [];
  for (let at = 0; at < rounds * 20; at++) {
    const unit = unitOf(at);
    const { ms, result } = clocked(() => {
      index.setUnit(unit.name, unit);
      return decide(index, touched);
    });
    times.push(ms);
    counts.push(result.lookedAt.size);
    index.setUnit(unit.name, undefined);
    touched.clear();
  }
  print(`  ${says} submitted: ${milliseconds(median(times))}, ${number(median(counts))} units looked at`);
}

/** After all garbage is gone. */
function usedHeap(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(3)} ms` : `${number(ms)} ms`;
}
