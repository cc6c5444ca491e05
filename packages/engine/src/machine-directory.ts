import { shortMachineId } from '@flotilla/cluster';
import type { MachineNode } from './index-nodes.js';
import { addTo, deleteFrom } from './sets-by-key.js';

/** The machines that may be chosen: by load, by ID, by what their metadata says. */
export class MachineDirectory {
  /** At the index of their load; in the order of their IDs. */
  readonly #byLoad: MachineNode[][] = [];
  #least = 0;
  readonly #byId: MachineNode[] = [];
  readonly #byMetadata = new Map<string, Set<MachineNode>>();
  readonly #byIdText = new Map<string, Set<MachineNode>>();

  get size(): number {
    return this.#byId.length;
  }

  add(node: MachineNode): void {
    insert(this.#byId, node);
    this.#enterLoad(node);
    for (const key of metadataKeys(node)) addTo(this.#byMetadata, key, node);
    for (const key of idTexts(node)) addTo(this.#byIdText, key, node);
  }

  /** Takes out a machine as it was entered. */
  remove(node: MachineNode): void {
    removeFrom(this.#byId, node);
    this.#leaveLoad(node);
    for (const key of metadataKeys(node)) deleteFrom(this.#byMetadata, key, node);
    for (const key of idTexts(node)) deleteFrom(this.#byIdText, key, node);
  }

  /** Changes the load of a machine that is in here. */
  setLoad(node: MachineNode, load: number): void {
    this.#leaveLoad(node);
    node.load = load;
    this.#enterLoad(node);
  }

  /** Those with the full or short ID `text`. */
  named(text: string): ReadonlySet<MachineNode> {
    return this.#byIdText.get(text) ?? nobody;
  }

  /** Those that have one of `values` under `key`. */
  withMetadata(key: string, values: readonly string[]): readonly MachineNode[] {
    return values.flatMap((value) => [...(this.#byMetadata.get(metadataKey(key, value)) ?? nobody)]);
  }

  /** How many have one of `values` under `key`. */
  countWithMetadata(key: string, values: readonly string[]): number {
    return values.reduce((sum, value) => sum + (this.#byMetadata.get(metadataKey(key, value))?.size ?? 0), 0);
  }

  inIdOrder(): readonly MachineNode[] {
    return this.#byId;
  }

  /** The first of {@link leastLoadedFirst}. */
  get leastLoaded(): MachineNode | undefined {
    return this.#byLoad[this.#least]?.[0];
  }

  /** Where `node` stands in {@link inIdOrder}. */
  numberOf(node: MachineNode): number {
    return position(this.#byId, node);
  }

  /** The least loaded first, equals in the order of their IDs. Not to be changed meanwhile. */
  *leastLoadedFirst(): Iterable<MachineNode> {
    for (let load = this.#least; load < this.#byLoad.length; load++) yield* this.#byLoad[load] ?? [];
  }

  /** The most loaded first, equals in the order of their IDs. Not to be changed meanwhile. */
  *mostLoadedFirst(): Iterable<MachineNode> {
    for (let load = this.#byLoad.length - 1; load >= this.#least; load--) yield* this.#byLoad[load] ?? [];
  }

  #enterLoad(node: MachineNode): void {
    for (let load = this.#byLoad.length; load <= node.load; load++) this.#byLoad.push([]);
    insert(this.#byLoad[node.load] ?? [], node);
    if (node.load < this.#least) this.#least = node.load;
  }

  #leaveLoad(node: MachineNode): void {
    removeFrom(this.#byLoad[node.load] ?? [], node);
    while (this.#byLoad[this.#least]?.length === 0 && this.#least < this.#byLoad.length - 1) this.#least++;
  }
}

const nobody: ReadonlySet<MachineNode> = new Set();

function metadataKey(key: string, value: string): string {
  return `${key}=${value}`;
}

function metadataKeys({ machine }: MachineNode): string[] {
  return [...(machine?.metadata ?? [])].map(([key, value]) => metadataKey(key, value));
}

function idTexts({ id }: MachineNode): Set<string> {
  return new Set([id, shortMachineId(id)]);
}

/** Where `node` is, or belongs, in an array in the order of IDs. */
function position(nodes: readonly MachineNode[], { id }: MachineNode): number {
  let low = 0;
  let high = nodes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = nodes[middle];
    if (other !== undefined && other.id < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

function insert(nodes: MachineNode[], node: MachineNode): void {
  const last = nodes.at(-1);
  if (last === undefined || last.id < node.id) nodes.push(node);
  else nodes.splice(position(nodes, node), 0, node);
}

function removeFrom(nodes: MachineNode[], node: MachineNode): void {
  if (nodes[0] === node) nodes.shift();
  else {
    const index = position(nodes, node);
    if (nodes[index] === node) nodes.splice(index, 1);
  }
}
