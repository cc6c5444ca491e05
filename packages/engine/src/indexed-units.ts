import { isWanted, type Unit } from '@flotilla/cluster';
import { noRequirements, type Requirements, type UnitName } from '@flotilla/unit';
import { fixedStart, GlobBook, type GlobNode } from './glob-book.js';
import { type MachineNode, newUnitNode, type UnitNode } from './index-nodes.js';
import { addTo, deleteFrom, setMember } from './sets-by-key.js';

const nobody: ReadonlySet<UnitNode> = new Set();

/** The units of the index, and which of them name which others. */
export class IndexedUnits {
  readonly #nodes = new Map<UnitName, UnitNode>();
  readonly #book = new GlobBook();
  readonly #followers = new Map<string, Set<UnitNode>>();
  readonly #byStem = new Map<string, Set<UnitNode>>();
  /** How many instances of a template are residents of a machine: of those that were asked about, as few are. */
  readonly #instances = new Map<string, Map<MachineNode, number>>();
  readonly #seekers = new Set<UnitNode>();

  /** Those that {@link setSeeking} was told of. */
  get seekers(): ReadonlySet<UnitNode> {
    return this.#seekers;
  }

  all(): Iterable<UnitNode> {
    return this.#nodes.values();
  }

  /** Those of `names` that there are. */
  *named(names: Iterable<string>): Iterable<UnitNode> {
    for (const name of names) {
      const node = this.find(name);
      if (node !== undefined) yield node;
    }
  }

  find(name: string): UnitNode | undefined {
    return this.#nodes.get(name as UnitName);
  }

  /** The node of a unit; made if there is none. */
  of(name: UnitName): UnitNode {
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const node = newUnitNode(name);
    node.matchedBy = this.#book.matching(name);
    this.#nodes.set(name, node);
    if (node.stem !== undefined) addTo(this.#byStem, node.stem, node);
    return node;
  }

  /** Drops a node that says nothing any more. */
  forgetIfEmpty(node: UnitNode): void {
    if (node.unit !== undefined || node.placement !== undefined || node.leaving !== undefined || node.isUnreadable)
      return;
    this.setSeeking(node, false);
    this.#nodes.delete(node.name);
    if (node.stem !== undefined) deleteFrom(this.#byStem, node.stem, node);
  }

  /** Enters what a unit asks for. It must not be a resident meanwhile. */
  setUnit(node: UnitNode, unit: Unit | undefined): void {
    const { isSeeking } = node;
    this.setSeeking(node, false);
    this.#dropRequirements(node);
    node.unit = unit;
    node.needsMachine = unit !== undefined && !unit.requirements.isGlobal && isWanted(unit);
    node.asksNothing = unit !== undefined && isPlain(unit);
    if (unit !== undefined) this.#enterRequirements(node, unit);
    this.setSeeking(node, isSeeking);
  }

  /** Makes the globs of a unit known before there are names for them to match, which saves looking at those. */
  noteGlobs(requirements: Requirements): void {
    for (const glob of globsOf(requirements)) if (this.#book.find(glob) === undefined) this.#book.add(glob);
  }

  /** Notes that a unit has looked for a machine; if it seeks, it has found none. */
  setSeeking(node: UnitNode, isSeeking: boolean): void {
    node.mayFit = false;
    if (node.isSeeking === isSeeking) return;
    node.isSeeking = isSeeking;
    setMember(this.#seekers, node, isSeeking);
    if (node.home !== undefined) setMember(node.home.replaced, node, isSeeking);
    for (const glob of node.matchedBy) setMember(glob.seekingMatched, node, isSeeking);
    for (const glob of node.conflicts) setMember(glob.seekingUsers, node, isSeeking);
    for (const glob of node.replaces) setMember(glob.seekingUsers, node, isSeeking);
  }

  noteResident(node: UnitNode, machine: MachineNode): void {
    for (const glob of node.matchedBy) glob.matched.add(machine, node);
    for (const glob of node.conflicts) glob.conflicting.add(machine, node);
    for (const glob of node.replaces) glob.replacing.add(machine, node);
    this.#countInstance(node, machine, 1);
  }

  noteGone(node: UnitNode, machine: MachineNode): void {
    for (const glob of node.matchedBy) glob.matched.delete(machine, node);
    for (const glob of node.conflicts) glob.conflicting.delete(machine, node);
    for (const glob of node.replaces) glob.replacing.delete(machine, node);
    this.#countInstance(node, machine, -1);
  }

  /** How many residents each machine has of the template that `node` is an instance of; those without any have no entry. */
  fellowsOf(node: UnitNode): ReadonlyMap<MachineNode, number> {
    const template = templateOf(node);
    if (template === undefined) return new Map();
    const known = this.#instances.get(template);
    if (known !== undefined) return known;
    const counts = new Map<MachineNode, number>();
    for (const { home, name, stem } of this.#byStem.get(node.stem ?? '') ?? nobody) {
      if (home !== undefined && templateOf({ name, stem }) === template) counts.set(home, (counts.get(home) ?? 0) + 1);
    }
    this.#instances.set(template, counts);
    return counts;
  }

  /** Whether it may concern anybody where `node` is. */
  isOfConcern({ name, conflicts, matchedBy, replaces }: UnitNode): boolean {
    return (
      conflicts.length + matchedBy.length + replaces.length > 0 ||
      (this.#followers.size > 0 && this.#followers.has(name))
    );
  }

  /** Those of `names` that have to do with others. */
  relatedAmong(names: Iterable<UnitName>): Set<UnitName> {
    const related = new Set<UnitName>();
    for (const node of this.named(names)) if (node.peers.length > 0 || this.isOfConcern(node)) related.add(node.name);
    return related;
  }

  /** Whom it may concern that `node` came to, or went from, `machine`, but for those that follow its followers. */
  *concernedBy(node: UnitNode, machine: MachineNode): Iterable<UnitNode> {
    yield* this.#followers.get(node.name) ?? nobody;
    for (const globs of [node.conflicts, node.replaces]) {
      for (const glob of globs) {
        yield* glob.matched.on(machine) ?? nobody;
        yield* glob.seekingMatched;
      }
    }
    for (const glob of node.matchedBy) {
      yield* glob.conflicting.on(machine) ?? nobody;
      yield* glob.replacing.on(machine) ?? nobody;
      yield* glob.seekingUsers;
    }
  }

  /** Those that are to be with `node`, and those that are to be with them. */
  followersOf(node: UnitNode): ReadonlySet<UnitNode> {
    const found = new Set(this.#followers.get(node.name));
    // A set goes on with what is added meanwhile; a chain may be longer than the stack is deep.
    for (const follower of found) for (const next of this.#followers.get(follower.name) ?? nobody) found.add(next);
    return found;
  }

  /** The seeking units that `node` keeps off a machine that it is leaving. */
  *seekingRivals(node: UnitNode): Iterable<UnitNode> {
    for (const glob of node.conflicts) yield* glob.seekingMatched;
    for (const glob of node.matchedBy) yield* glob.seekingUsers;
  }

  /** All that have to do with `node`, wherever they are. */
  *relativesOf(node: UnitNode): Iterable<UnitNode> {
    yield* this.followersOf(node);
    yield* this.seekingRivals(node);
    for (const glob of node.replaces) yield* glob.seekingMatched;
    for (const globs of [node.conflicts, node.replaces]) for (const glob of globs) yield* glob.matched.all();
    for (const glob of node.matchedBy) {
      yield* glob.conflicting.all();
      yield* glob.replacing.all();
    }
  }

  #enterRequirements(node: UnitNode, unit: Unit): void {
    const { conflicts, replaces, preferConflicts, machineOf } = unit.requirements;
    if (conflicts.length > 0) node.conflicts = conflicts.map((glob) => this.#globOf(glob));
    if (replaces.length > 0) node.replaces = replaces.map((glob) => this.#globOf(glob));
    if (preferConflicts.length > 0) node.avoids = preferConflicts.map(({ glob }) => this.#globOf(glob));
    if (machineOf.length > 0) node.peers = machineOf;
    for (const peer of node.peers) addTo(this.#followers, peer, node);
    if (node.needsMachine) for (const glob of node.replaces) glob.replacers.add(node);
  }

  #dropRequirements(node: UnitNode): void {
    for (const peer of node.peers) deleteFrom(this.#followers, peer, node);
    for (const glob of node.replaces) glob.replacers.delete(node);
    if (node.conflicts.length > 0) node.conflicts = [];
    if (node.replaces.length > 0) node.replaces = [];
    if (node.avoids.length > 0) node.avoids = [];
    if (node.peers.length > 0) node.peers = [];
  }

  /** The node of a glob; a new one is shown all names that it may match. */
  #globOf(pattern: string): GlobNode {
    const known = this.#book.find(pattern);
    if (known !== undefined) return known;
    const glob = this.#book.add(pattern);
    for (const node of this.#mayMatch(pattern)) {
      if (!glob.matches(node.name)) continue;
      node.matchedBy = [...node.matchedBy, glob];
      if (node.home !== undefined) glob.matched.add(node.home, node);
      if (node.isSeeking) glob.seekingMatched.add(node);
    }
    return glob;
  }

  #mayMatch(pattern: string): Iterable<UnitNode> {
    const start = fixedStart(pattern);
    const named = this.find(pattern);
    if (start === pattern) return named === undefined ? [] : [named];
    const at = start.indexOf('@');
    return at < 0 ? this.#nodes.values() : (this.#byStem.get(start.slice(0, at + 1)) ?? nobody);
  }

  #countInstance(node: UnitNode, machine: MachineNode, change: number): void {
    const template = this.#instances.size === 0 ? undefined : templateOf(node);
    const counts = template === undefined ? undefined : this.#instances.get(template);
    if (counts === undefined) return;
    const count = (counts.get(machine) ?? 0) + change;
    if (count > 0) counts.set(machine, count);
    else counts.delete(machine);
  }
}

function isPlain({ requirements, runsOn }: Unit): boolean {
  if (requirements === noRequirements && runsOn === undefined) return true;
  const { machineId, metadata, strategy, ...lists } = requirements;
  const { metadataTests, machineOf, conflicts, replaces, preferMetadata, preferConflicts, spreadOver } = lists;
  const asked = [metadataTests, machineOf, conflicts, replaces, preferMetadata, preferConflicts, spreadOver];
  const asksForOne = machineId !== undefined || metadata.size > 0 || strategy !== undefined || runsOn !== undefined;
  return !asksForOne && asked.every(({ length }) => length === 0);
}

function globsOf({ conflicts, replaces, preferConflicts }: Requirements): readonly string[] {
  if (conflicts.length + replaces.length + preferConflicts.length === 0) return conflicts;
  return [...conflicts, ...replaces, ...preferConflicts.map(({ glob }) => glob)];
}

function templateOf({ name, stem }: Pick<UnitNode, 'name' | 'stem'>): string | undefined {
  return stem === undefined ? undefined : `${stem}${name.slice(name.lastIndexOf('.'))}`;
}
