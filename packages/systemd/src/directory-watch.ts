import { type FSWatcher, watch } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Clock, Logger, Timer } from '@flotilla/runtime';

/** An editor writes a file in several steps; they are one change. Taste. */
const settleMs = 200;

export interface DirectoryWatchOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether an entry of the directory is not as its owner has left it. Must not throw. */
  readonly isForeignChange: (entry: string) => boolean;
}

/**
 * Calls back when somebody else has changed the entries of a directory. Whoever misses a change by it, for want of inotify
 * watches or under a mount, finds it by looking.
 */
export class DirectoryWatch {
  readonly #options: DirectoryWatchOptions;
  readonly #listeners = new Set<() => void>();
  readonly #touched = new Set<string>();
  #watcher: FSWatcher | undefined;
  #watched: string | undefined;
  #timer: Timer | undefined;
  #hasFailed = false;

  constructor(options: DirectoryWatchOptions) {
    this.#options = options;
  }

  listen(listener: () => void): { close(): void } {
    const entry = () => listener();
    this.#listeners.add(entry);
    return {
      close: () => {
        this.#listeners.delete(entry);
        if (this.#listeners.size === 0) this.#end();
      },
    };
  }

  /** Watches the directory, while somebody listens. `identity` tells it from another one at the same path. */
  keepUp(identity: string): void {
    if (this.#listeners.size === 0 || this.#watched === identity) return;
    this.#unwatch();
    const { directory, log } = this.#options;
    try {
      // Without a slash at its end, by which the directory's own name would be none.
      const watcher = watch(resolve(directory), { persistent: false }, (_, entry) => this.#note(entry ?? ''));
      watcher.on('error', () => this.#unwatch());
      this.#watcher = watcher;
      this.#watched = identity;
    } catch (error) {
      if (this.#hasFailed) return;
      this.#hasFailed = true;
      log.warn('the units directory can not be watched; changes by others are found at the next audit', { error });
    }
  }

  #note(entry: string): void {
    // The directory itself, which may be gone: the next one at its path may have its inode number.
    if (entry === basename(this.#options.directory)) this.#watched = undefined;
    this.#touched.add(entry);
    // From the first of them on: there may always be another one.
    this.#timer ??= this.#options.clock.setTimer(settleMs, () => this.#look());
  }

  #look(): void {
    this.#timer = undefined;
    const entries = [...this.#touched];
    this.#touched.clear();
    if (!entries.some((entry) => this.#options.isForeignChange(entry))) return;
    for (const listener of [...this.#listeners]) listener();
  }

  #end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#touched.clear();
    this.#unwatch();
  }

  /** What was touched by then is still looked at. */
  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#watched = undefined;
  }
}
