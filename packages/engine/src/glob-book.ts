import { compileGlob } from '@flotilla/unit';
import type { MachineNode, UnitNode } from './index-nodes.js';

/** Units by the machine that they are residents of. */
export class ByMachine {
  readonly #units = new Map<MachineNode, Set<UnitNode>>();

  on(machine: MachineNode): ReadonlySet<UnitNode> | undefined {
    return this.#units.get(machine);
  }

  /** All of them. */
  *all(): Iterable<UnitNode> {
    for (const units of this.#units.values()) yield* units;
  }

  add(machine: MachineNode, unit: UnitNode): void {
    const units = this.#units.get(machine);
    if (units === undefined) this.#units.set(machine, new Set([unit]));
    else units.add(unit);
  }

  delete(machine: MachineNode, unit: UnitNode): void {
    const units = this.#units.get(machine);
    if (units?.delete(unit) === true && units.size === 0) this.#units.delete(machine);
  }
}

/** A glob that `[X-Fleet]` sections use, and whom it concerns. */
export class GlobNode {
  /** Tells it from all others of its book. */
  readonly id: number;
  readonly matches: (name: string) => boolean;
  /** Residents whose names match. */
  readonly matched = new ByMachine();
  /** Residents that may not be with what matches. */
  readonly conflicting = new ByMachine();
  /** Residents that move what matches away. */
  readonly replacing = new ByMachine();
  /** Seeking units whose names match. */
  readonly seekingMatched = new Set<UnitNode>();
  /** Seeking units that use it. */
  readonly seekingUsers = new Set<UnitNode>();
  /** Wanted non-global units that have it in `Replaces=`, wherever they are. */
  readonly replacers = new Set<UnitNode>();

  constructor(pattern: string, id: number) {
    this.id = id;
    this.matches = compileGlob(pattern) ?? (() => false);
  }
}

const special = /[*?[\\]/;

/**
 * All globs in use, found by the names that they match: those that are plain names by name, the others by what they
 * begin with. What nobody uses any more goes when everything is read again.
 */
export class GlobBook {
  readonly #byPattern = new Map<string, GlobNode>();
  readonly #literal = new Map<string, GlobNode>();
  readonly #byStart = new Map<string, GlobNode[]>();
  readonly #startLengths = new Set<number>();

  find(pattern: string): GlobNode | undefined {
    return this.#byPattern.get(pattern);
  }

  add(pattern: string): GlobNode {
    const glob = new GlobNode(pattern, this.#byPattern.size);
    this.#byPattern.set(pattern, glob);
    const start = fixedStart(pattern);
    if (start === pattern) this.#literal.set(pattern, glob);
    else {
      const alike = this.#byStart.get(start);
      if (alike === undefined) this.#byStart.set(start, [glob]);
      else alike.push(glob);
      this.#startLengths.add(start.length);
    }
    return glob;
  }

  /** The globs that match `name`. */
  matching(name: string): readonly GlobNode[] {
    const literal = this.#literal.get(name);
    let found = literal === undefined ? none : [literal];
    for (const length of this.#startLengths) {
      if (length > name.length) continue;
      for (const glob of this.#byStart.get(name.slice(0, length)) ?? none) {
        if (glob.matches(name)) found = [...found, glob];
      }
    }
    return found;
  }
}

const none: readonly GlobNode[] = [];

/** What every name that a glob matches begins with; the whole glob if that is all. */
export function fixedStart(pattern: string): string {
  const index = pattern.search(special);
  return index < 0 ? pattern : pattern.slice(0, index);
}
