import type { MachineId } from '@flotilla/cluster';
import {
  type ClaimRecord,
  type DirectoryHostRecord,
  joinDirectory,
  newDirectoryHost,
  type RegistryAccess,
  readClaims,
  removeDirectoryHost,
  writeDirectoryHost,
} from '@flotilla/registry';
import type { OwnerName, UnitName } from '@flotilla/unit';
import { type DirectoryMemory, noMemory } from './brake.js';
import { formatMemory, type MemoryFile } from './memory-file.js';
import { isSameRow } from './status-row.js';

export interface StandingOptions {
  readonly access: RegistryAccess;
  readonly owner: OwnerName;
  readonly machine: MachineId;
  readonly path: string;
  readonly memoryFile: MemoryFile;
}

/** What the store and this disk have on record of one directory of this host. */
export class Standing {
  readonly #options: StandingOptions;
  readonly #claims = new Map<UnitName, ClaimRecord>();
  #row: DirectoryHostRecord;
  #memory: DirectoryMemory | undefined;
  #isStale = true;
  #isOlderCopy = false;

  constructor(options: StandingOptions) {
    this.#options = options;
    this.#row = newDirectoryHost(options.path, false);
  }

  /** What this host last saw of each unit that it claims. */
  get claims(): ReadonlyMap<UnitName, ClaimRecord> {
    return this.#claims;
  }

  /** As the store has it. */
  get row(): DirectoryHostRecord {
    return this.#row;
  }

  get memory(): DirectoryMemory {
    return this.#memory ?? noMemory;
  }

  /** Whether the store may have something else than this says. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** Whether this disk knows less than the store of what this host has done: it is a copy, or was put back. */
  get isOlderCopy(): boolean {
    return this.#isOlderCopy;
  }

  /** What this says is to be read again. */
  invalidate(): void {
    this.#isStale = true;
  }

  /** All that was written since is known to be so. */
  confirm(): void {
    this.#isStale = false;
  }

  /** Reads everything, and makes this host one of the directory's. Resolves with whether it was the first time. */
  async load(): Promise<boolean> {
    const { access, memoryFile, path } = this.#options;
    const isFirst = this.#memory === undefined;
    const memory = this.#memory ?? (await memoryFile.load()) ?? noMemory;
    const joining = newDirectoryHost(path, false);
    this.#row = (await joinDirectory(access, this.#side, joining)) ?? joining;
    const claims = await readClaims(access, this.#side);
    this.#claims.clear();
    for (const [name, claim] of claims) this.#claims.set(name, claim);
    if (isFirst) this.#isOlderCopy = this.#row.pass > memory.pass;
    this.#memory = memory;
    this.#isStale = false;
    return isFirst;
  }

  /** Has this disk know `memory`; with `isNewPass`, that a pass begins which changes something, too. */
  async remember(memory: DirectoryMemory, { isNewPass }: { readonly isNewPass: boolean }): Promise<void> {
    const next = isNewPass ? { ...memory, pass: Math.max(memory.pass, this.#row.pass) + 1 } : memory;
    const isKnown =
      formatMemory({ ...next, removed: new Map() }) === formatMemory({ ...this.memory, removed: new Map() });
    if (!isKnown) await this.#options.memoryFile.save(next);
    this.#memory = next;
  }

  /** This disk has caught up with what this host has told: `memory` says how. */
  async endOlderCopy(memory: DirectoryMemory): Promise<void> {
    await this.remember({ ...memory, pass: Math.max(memory.pass, this.#row.pass) }, { isNewPass: false });
    this.#isOlderCopy = false;
  }

  /** Tells the store how the directory fares, unless that is what it says already. */
  async tell(row: DirectoryHostRecord): Promise<void> {
    if (isSameRow(row, this.#row)) return;
    const outcome = await writeDirectoryHost(this.#options.access, this.#side, row);
    if (outcome === 'absent') this.#isStale = true;
    else this.#row = row;
  }

  noteClaim(name: UnitName, claim: ClaimRecord): void {
    this.#claims.set(name, claim);
  }

  noteDrop(name: UnitName): void {
    this.#claims.delete(name);
  }

  /** Takes this host's record of the directory away, if it claims nothing. */
  async leave(): Promise<void> {
    const { access, memoryFile } = this.#options;
    if ((await removeDirectoryHost(access, this.#side)) === 'claims') this.#isStale = true;
    else await memoryFile.remove();
  }

  get #side() {
    return { owner: this.#options.owner, claimant: this.#options.machine };
  }
}
