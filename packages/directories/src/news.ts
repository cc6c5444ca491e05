import type { DirectoryConflict, DirectoryProblem } from '@flotilla/registry';
import type { Logger } from '@flotilla/runtime';
import { digestOf, type Held } from './brake.js';

/** More than these are counted, not told one by one. */
const mostTold = 10;

/** What a person should know of a directory. */
export interface DirectoryTrouble {
  readonly problems: readonly DirectoryProblem[];
  readonly conflicts: readonly DirectoryConflict[];
  readonly held: Held | undefined;
}

/** Tells the log what is new, and what is over. */
export class DirectoryNews {
  readonly #log: Logger;
  #problems: ReadonlyMap<string, DirectoryProblem> = new Map();
  #conflicts: ReadonlyMap<string, DirectoryConflict> = new Map();
  #held: Held | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  tell({ problems, conflicts, held }: DirectoryTrouble): void {
    const nextProblems = new Map(problems.map((each) => [JSON.stringify(each), each]));
    const nextConflicts = new Map(conflicts.map((each) => [JSON.stringify(each), each]));
    this.#tellEach(withoutKeysOf(nextProblems, this.#problems), {
      each: 'a file of a directory is left out',
      more: 'more files of a directory are left out',
    });
    this.#tellEach(withoutKeysOf(nextConflicts, this.#conflicts), {
      each: 'a unit of a directory belongs to somebody else',
      more: 'more units of a directory belong to somebody else',
    });
    if (nextProblems.size === 0 && this.#problems.size > 0)
      this.#log.info('all files of a directory are in order again');
    if (nextConflicts.size === 0 && this.#conflicts.size > 0)
      this.#log.info('no unit of a directory belongs to somebody else any more');
    this.#tellHeld(held);
    this.#problems = nextProblems;
    this.#conflicts = nextConflicts;
    this.#held = held;
  }

  #tellEach(news: readonly object[], { each, more }: { readonly each: string; readonly more: string }): void {
    for (const fields of news.slice(0, mostTold)) this.#log.warn(each, { ...fields });
    if (news.length > mostTold) this.#log.warn(more, { count: news.length - mostTold });
  }

  #tellHeld(held: Held | undefined): void {
    const before = this.#held;
    if (held === undefined) {
      if (before !== undefined) this.#log.info('no unit of a directory is held back any more');
      return;
    }
    const { why, units } = held;
    if (before?.why === why && digestOf(before.units) === digestOf(units)) return;
    this.#log.warn('units whose files are gone are held back; fleetctl dirs confirm has them destroyed', {
      why,
      count: units.length,
      units: units.slice(0, mostTold),
    });
  }
}

function withoutKeysOf<T>(map: ReadonlyMap<string, T>, other: ReadonlyMap<string, T>): readonly T[] {
  return [...map].filter(([key]) => !other.has(key)).map(([, value]) => value);
}
