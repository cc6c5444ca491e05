import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { Logger } from '@flotilla/runtime';

export interface FolderWatchOptions {
  readonly path: string;
  readonly log: Logger;
}

/** What is watched: the folder, or while it is not there the nearest directory above it, for the one entry that leads to it. */
interface Watched {
  readonly path: string;
  /** Another one for another directory at the same path. */
  readonly identity: string;
  readonly onlyEntry?: string;
}

/** Calls back when entries of a folder change, or the folder comes or goes. What escapes it is found by looking. */
export class FolderWatch {
  readonly #options: FolderWatchOptions;
  #watcher: FSWatcher | undefined;
  #watched: string | undefined;
  #lastFailure: string | undefined;
  #isClosed = false;

  constructor(options: FolderWatchOptions) {
    this.#options = options;
  }

  /** Watches what is there now; `onTouched` is that of the first call. Resolves with whether it is the folder itself. */
  async keepUp(onTouched: () => void): Promise<boolean> {
    const wanted = await findWatched(resolve(this.#options.path));
    if (this.#isClosed || wanted === undefined) return false;
    if (wanted.identity !== this.#watched) this.#watch(wanted, onTouched);
    return this.#watcher !== undefined && wanted.onlyEntry === undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.#unwatch();
  }

  #watch({ path, identity, onlyEntry }: Watched, onTouched: () => void): void {
    this.#unwatch();
    try {
      const watcher = watch(path, { persistent: false }, (_, entry) => {
        // The directory itself, which may be gone: the next one at its path may have its inode number.
        if (entry === basename(path)) this.#watched = undefined;
        if (onlyEntry === undefined || entry === onlyEntry || entry === basename(path) || entry === null) onTouched();
      });
      watcher.on('error', (error) => {
        if (this.#watcher !== watcher) return;
        this.#unwatch();
        this.#tell(error);
      });
      this.#watcher = watcher;
      this.#watched = identity;
      this.#lastFailure = undefined;
    } catch (error) {
      this.#tell(error);
    }
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#watched = undefined;
  }

  #tell(error: unknown): void {
    const failure = String(error);
    if (failure === this.#lastFailure) return;
    this.#lastFailure = failure;
    const { log, path } = this.#options;
    log.warn('a directory can not be watched; it is looked at every few seconds instead', { path, error });
  }
}

async function findWatched(path: string): Promise<Watched | undefined> {
  let onlyEntry: string | undefined;
  for (let at = path; ; at = dirname(at)) {
    const identity = await findIdentity(at);
    if (identity !== undefined) return { path: at, identity, ...(onlyEntry !== undefined && { onlyEntry }) };
    if (at === dirname(at)) return undefined;
    onlyEntry = basename(at);
  }
}

/** `undefined` if there is no directory. */
async function findIdentity(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path, { bigint: true });
    return found.isDirectory() ? `${path} ${found.dev}:${found.ino}` : undefined;
  } catch {
    // Whatever is in the way: the look says so.
    return undefined;
  }
}
