import type { UnitHash, UnitName } from '@flotilla/unit';
import { type CurrentUnit, isGone, isRemnant, motion, type StartedRecord } from './current.js';
import type { DesiredUnit } from './desired.js';

/** One thing to do to one unit. `adopt` only notes that a running unit is the one that was asked for. */
export interface Task {
  readonly kind: 'stop' | 'unload' | 'load' | 'adopt' | 'restart' | 'start';
  readonly unit: UnitName;
  readonly why: TaskReason;
}

export type TaskReason =
  | 'not-wanted-here'
  | 'not-launched'
  | 'other-content'
  | 'other-bytes'
  | 'edited-here'
  | 'file-missing'
  | 'file-lost'
  | 'unknown-to-systemd'
  | 'new-order'
  | 'never-started'
  | 'already-running';

/** All of one kind go to systemd in one call, in this order: room is made before it is taken. */
const kindOrder: readonly Task['kind'][] = ['stop', 'unload', 'load', 'adopt', 'restart', 'start'];

/**
 * What to do now to bring `current` closer to `desired`, in the order in which it must be done: by kind, then by name. What takes
 * time (a stop) is not waited for: the tasks that need its end come out of a later call.
 */
export function reconcile(
  desired: ReadonlyMap<UnitName, DesiredUnit>,
  current: ReadonlyMap<UnitName, CurrentUnit>,
): Task[] {
  const tasks: Task[] = [];
  for (const name of [...desired.keys()].sort()) {
    const wish = desired.get(name);
    const unit = current.get(name);
    if (wish === undefined || unit === undefined || unit.isHeld) continue;
    for (const [kind, why] of steps(wish, unit)) tasks.push({ kind, why, unit: name });
  }
  return tasks.sort((a, b) => kindOrder.indexOf(a.kind) - kindOrder.indexOf(b.kind));
}

/** The tasks of the first `limit` units that have any: a pass stays short, and sees new orders, whatever came at once. */
export function tasksOfFirst(limit: number, tasks: readonly Task[]): Task[] {
  const units = new Set<UnitName>();
  return tasks.filter(({ unit }) => {
    if (units.size < limit) units.add(unit);
    return units.has(unit);
  });
}

type Step = readonly [Task['kind'], TaskReason];
type Present = Extract<DesiredUnit, { kind: 'present' }>;

function steps(wish: DesiredUnit, unit: CurrentUnit): readonly Step[] {
  switch (wish.kind) {
    case 'untouched':
      return [];
    case 'absent':
      return isGone(unit) && !isRemnant(unit) ? [] : departure(unit, 'not-wanted-here', 'unload');
    case 'present':
      return presence(wish, unit);
  }
}

/** A unit's file goes, or is replaced, when the unit is at rest. */
function departure({ status }: CurrentUnit, why: TaskReason, then: 'unload' | 'load'): readonly Step[] {
  switch (motion(status)) {
    case 'stopping':
      return [];
    case 'running':
      return [['stop', why]];
    case 'at-rest':
      return [[then, why]];
  }
}

function presence(wish: Present, unit: CurrentUnit): readonly Step[] {
  const { file, status } = unit;
  const isAtRest = motion(status) === 'at-rest';
  if (isOtherContent(wish, unit) && (wish.isLaunched || !isAtRest)) {
    const replacement = departure(unit, 'other-content', 'load');
    return isAtRest ? [...replacement, ['start', 'never-started']] : replacement;
  }
  const steps: Step[] = [];
  if (file === undefined) steps.push(['load', unit.started === undefined ? 'file-missing' : 'file-lost']);
  else if (status.load === 'not-found' || status.load === 'error') steps.push(['load', 'unknown-to-systemd']);
  // What was started is what is wanted: the running copy stays, and the file follows the submitted bytes.
  else if (file.hash !== wish.hash || file.sha256 !== wish.file) steps.push(['load', whyRewritten(wish, unit)]);
  const launch = wish.isLaunched ? findLaunch(wish, unit) : findHalt(wish, unit);
  if (launch !== undefined) steps.push(launch);
  return steps;
}

function whyRewritten(wish: Present, { file, started }: CurrentUnit): TaskReason {
  if (file?.hash === wish.hash) return 'other-bytes';
  return started?.hash === wish.hash ? 'edited-here' : 'other-content';
}

/** What was started decides; of what this agent did not start, the file has to tell. */
export function isOtherContent(wish: { readonly hash: UnitHash }, { file, started }: CurrentUnit): boolean {
  if (started?.hash !== undefined) return started.hash !== wish.hash;
  return file !== undefined && file.hash !== wish.hash;
}

function findLaunch(wish: Present, { file, status, started }: CurrentUnit): Step | undefined {
  const isRunning = motion(status) === 'running';
  if (started !== undefined) {
    if (!isNewer(wish, started)) return undefined;
    // The order came with new content, which was taken back before its turn: what is to run has been running all the time.
    if (isRunning && started.isOutdated === true && started.hash === wish.hash) return ['adopt', 'already-running'];
    return [isRunning ? 'restart' : 'start', 'new-order'];
  }
  if (!isRunning) return ['start', 'never-started'];
  // Without a file of ours, what runs under this name is somebody else's.
  return file === undefined ? ['restart', 'never-started'] : ['adopt', 'already-running'];
}

/**
 * A unit that somebody else started, a person or another unit, is not ours to stop, unless that was ordered since, or a stop
 * came to nothing.
 */
function findHalt(wish: Present, unit: CurrentUnit): Step | undefined {
  const { started, status, isToldToStop } = unit;
  const hasRelapsed = isToldToStop && motion(status) === 'running';
  return started !== undefined || hasRelapsed || isStopOrdered(wish, unit) ? ['stop', 'not-launched'] : undefined;
}

/** Whether a unit that is not to run has yet to be stopped, for an order that came when it was not to run already. */
export function isStopOrdered(wish: Present, { status, known }: CurrentUnit): boolean {
  if (wish.isLaunched || known?.order === undefined || known.uid !== wish.uid) return false;
  return wish.order > known.order && motion(status) === 'running';
}

export function isNewer(wish: Pick<StartedRecord, 'uid' | 'order'>, done: StartedRecord): boolean {
  return wish.uid > done.uid || (wish.uid === done.uid && wish.order > done.order);
}
