import type { MachineId } from '@flotilla/cluster';
import {
  type Following,
  follow,
  parseKey,
  ranges,
  readClaims,
  removeDirectoryHost,
  type Store,
} from '@flotilla/registry';
import { type Clock, type Logger, ReconcileLoop } from '@flotilla/runtime';
import type { OwnerName } from '@flotilla/unit';
import { Directory } from './directory.js';
import type { DirectoryDescription } from './directory-pass.js';
import { createFolderAccess, type FolderAccess } from './folder-access.js';
import { createMemoryFile, type MemoryFile } from './memory-file.js';
import { Sighting } from './sighting.js';

/** A directory of this host that the cluster is to follow. */
export interface WatchedDirectory {
  readonly name: OwnerName;
  readonly path: string;
}

export interface DirectoriesOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly machine: MachineId;
  /** No two of one name. None: only what this host had in its care before is looked for. */
  readonly directories: readonly WatchedDirectory[];
  readonly stateDirectory: string;
  /** @default the one on this machine's disk */
  readonly openFolder?: (directory: WatchedDirectory, log: Logger) => FolderAccess;
  /** @default the one in `stateDirectory` */
  readonly openMemory?: (owner: OwnerName) => MemoryFile;
}

/** What makes the cluster follow the watched directories of this host. */
export interface Directories {
  /** Begins, or begins again after {@link close}. Throws nothing: what fails is tried again. */
  start(): void;
  /** Ends with the passes that are under way. Units go on. */
  close(): Promise<void>;
  /** How each directory fares, from memory: those of the configuration first, then those that it has no more. */
  describe(): readonly DirectoryDescription[];
}

/**
 * Makes the cluster follow the watched directories of this host. Does nothing before `start`, which is for when it is known
 * that the store is this host's.
 */
export function createDirectories(options: DirectoriesOptions): Directories {
  let running: RunningDirectories | undefined;
  return {
    start: () => {
      running ??= new RunningDirectories(options);
    },
    close: async () => {
      const closing = running;
      running = undefined;
      await closing?.close();
    },
    describe: () => running?.describe() ?? [],
  };
}

/** From one start to the next end. */
class RunningDirectories {
  readonly #options: DirectoriesOptions;
  readonly #watched = new Map<OwnerName, Directory>();
  readonly #former = new Map<OwnerName, Directory>();
  /** Owners that this host has no directory for, and what it claims for them is not known yet. */
  readonly #strangers = new Set<OwnerName>();
  readonly #orders = new Set<OwnerName>();
  readonly #search: ReconcileLoop;
  readonly #following: Following;
  #isClosed = false;

  constructor(options: DirectoriesOptions) {
    this.#options = options;
    const { clock, directories, log, store } = options;
    for (const directory of directories) this.#watched.set(directory.name, this.#open(directory));
    for (const directory of this.#watched.values()) directory.start();
    this.#search = new ReconcileLoop({ name: 'former directories', body: () => this.#findFormer(), clock, log });
    this.#following = follow({
      store,
      clock,
      log,
      ranges: [ranges.directoryOwners, ranges.directoryOrders],
      follower: {
        onSnapshot: (kvs) => this.#startOver(kvs.map(({ key }) => key)),
        onEvents: (events) => {
          for (const event of events)
            if (event.kind === 'put') this.#notePut(event.kv.key);
            else this.#noteOrder(event.key, false);
        },
        onBroken: () => {
          for (const directory of this.#all()) directory.reload();
        },
      },
    });
  }

  describe(): readonly DirectoryDescription[] {
    return this.#all().map((directory) => directory.describe());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#following.close();
    await this.#search.close();
    await Promise.all(this.#all().map((directory) => directory.close()));
  }

  #all(): readonly Directory[] {
    return [...this.#watched.values(), ...this.#former.values()];
  }

  #startOver(found: readonly string[]): void {
    for (const key of found) {
      const parsed = parseKey(key);
      if (parsed?.kind === 'directory-owner' && !this.#watched.has(parsed.owner) && !this.#former.has(parsed.owner))
        this.#strangers.add(parsed.owner);
      this.#noteOrder(key, true);
    }
    this.#search.wake();
    this.#noteOwners();
  }

  #noteOwners(): void {
    for (const directory of this.#all()) directory.noteOwners();
  }

  #notePut(key: string): void {
    this.#noteOrder(key, true);
    if (parseKey(key)?.kind === 'directory-owner') this.#noteOwners();
  }

  #noteOrder(key: string, isThere: boolean): void {
    const parsed = parseKey(key);
    if (parsed?.kind !== 'directory-order' || parsed.machine !== this.#options.machine) return;
    this.#orders[isThere ? 'add' : 'delete'](parsed.owner);
    (this.#watched.get(parsed.owner) ?? this.#former.get(parsed.owner))?.noteOrder(isThere);
  }

  /** Directories that the configuration does not name any more, and this host has claims for. */
  async #findFormer(): Promise<void> {
    const { log, machine, store } = this.#options;
    for (const owner of [...this.#strangers].sort()) {
      const side = { owner, claimant: machine };
      const claims = await readClaims({ store, log }, side);
      if (this.#isClosed) return;
      if (claims.size > 0) {
        const directory = this.#open({ name: owner, path: '' });
        this.#former.set(owner, directory);
        directory.start();
        if (this.#orders.has(owner)) directory.noteOrder(true);
      } else {
        await removeDirectoryHost({ store, log }, side);
        await this.#memoryOf(owner).remove();
      }
      this.#strangers.delete(owner);
    }
  }

  #memoryOf(owner: OwnerName): MemoryFile {
    const { openMemory, stateDirectory } = this.#options;
    return openMemory?.(owner) ?? createMemoryFile(stateDirectory, owner);
  }

  #open(directory: WatchedDirectory): Directory {
    const { clock, machine, openFolder = ({ path }, log) => createFolderAccess(path, log), store } = this.#options;
    const { name: owner, path } = directory;
    const log = this.#options.log.child({ directory: owner });
    return new Directory({
      access: { store, log },
      clock,
      log,
      machine,
      owner,
      path,
      memoryFile: this.#memoryOf(owner),
      onRemoved: () => this.#noteOwners(),
      ...(path !== '' && { sighting: new Sighting(openFolder(directory, log), clock) }),
    });
  }
}
