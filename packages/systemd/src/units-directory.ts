import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Clock, Logger } from '@flotilla/runtime';
import {
  hashUnitFile,
  hasInstallSection,
  isUnitName,
  parseUnitFile,
  type UnitHash,
  type UnitName,
} from '@flotilla/unit';
import { DirectoryWatch } from './directory-watch.js';
import type { UnitFileHere, UnitFileToLoad } from './unit-manager.js';

interface CachedFile extends UnitFileHere {
  readonly fingerprint: string;
}

/** How a file came into the directory. */
export interface WrittenFile {
  readonly name: UnitName;
  /** `new`: none was there. `same`: it had these very bytes and was left alone. */
  readonly was: 'new' | 'changed' | 'same';
  /** Whether the file has an `[Install]` section with an option in it. */
  readonly hasInstall: boolean;
}

/** Hidden from {@link UnitsDirectory.list} and from systemd by its dot; a left-over is overwritten by the next write. */
const temporaryName = '.new';

/** systemd reads unit files as root; there is nothing secret in them. */
const fileMode = 0o644;

/** The directory of unit files that the agent owns. Callers take turns: writes share one temporary name. */
export class UnitsDirectory {
  readonly #directory: string;
  readonly #log: Logger;
  readonly #fileByName = new Map<UnitName, CachedFile>();
  readonly #strangers = new Set<string>();
  readonly #watch: DirectoryWatch;

  constructor(directory: string, { clock, log }: { readonly clock: Clock; readonly log: Logger }) {
    this.#directory = directory;
    this.#log = log;
    const isForeignChange = (entry: string) => this.#isForeignChange(entry);
    this.#watch = new DirectoryWatch({ directory, clock, log, isForeignChange });
  }

  /** Calls back when somebody else has changed unit files here. Begins with the next {@link list}. */
  onChange(listener: () => void): { close(): void } {
    return this.#watch.listen(listener);
  }

  path(name: UnitName): string {
    return join(this.#directory, name);
  }

  /** The unit files. Reads only what has changed. */
  async list(): Promise<Map<UnitName, UnitFileHere>> {
    await mkdir(this.#directory, { recursive: true });
    // Before it is read: what changes later is told.
    const { dev, ino } = await stat(this.#directory);
    this.#watch.keepUp(`${dev} ${ino}`);
    const names: UnitName[] = [];
    for (const entry of await readdir(this.#directory, { withFileTypes: true })) {
      if (isUnitName(entry.name) && entry.isFile()) names.push(entry.name);
      else if (entry.name !== temporaryName) this.#ignore(entry.name);
    }
    const files = new Map<UnitName, UnitFileHere>();
    const described = await Promise.all(names.map(async (name) => [name, await this.#describe(name)] as const));
    for (const [name, file] of described) if (file !== undefined) files.set(name, file);
    for (const name of this.#fileByName.keys()) if (!files.has(name)) this.#fileByName.delete(name);
    return files;
  }

  /** The bytes of those of `names` that are here and can be read. */
  async readAll(names: readonly UnitName[]): Promise<Map<UnitName, Uint8Array>> {
    const contents = new Map<UnitName, Uint8Array>();
    for (const name of names) {
      try {
        const content = await this.#read(name);
        if (content !== undefined) contents.set(name, content);
      } catch (error) {
        // The others are needed all the same: some of them may have to stop.
        this.#log.warn('a unit file can not be read', { unit: name, error });
      }
    }
    return contents;
  }

  /**
   * Puts a file in place in one step, unless it is there already. Synchronous, as many come at once: 0.1 ms a file, a tenth
   * of what as many trips to the thread pool take.
   */
  write({ name, content }: UnitFileToLoad): WrittenFile {
    const path = this.path(name);
    const old = existsSync(path) ? readFileSync(path) : undefined;
    const hasInstall = findInstall(content);
    // A link that a stranger put there is replaced, and what it leads to is left alone.
    const isOwn = old !== undefined && lstatSync(path).isFile();
    if (isOwn && Buffer.compare(old, content) === 0) return { name, was: 'same', hasInstall };
    this.#replace(path, content);
    const fingerprint = this.#findFingerprint(name);
    if (fingerprint !== undefined) this.#learn(name, readFileSync(path), fingerprint);
    return { name, was: old === undefined ? 'new' : 'changed', hasInstall };
  }

  /** Removes a file; harmless if there is none. */
  async remove(name: UnitName): Promise<void> {
    await rm(this.path(name), { force: true });
    this.#fileByName.delete(name);
  }

  #replace(path: string, content: Uint8Array): void {
    const temporary = join(this.#directory, temporaryName);
    mkdirSync(this.#directory, { recursive: true });
    try {
      writeFileSync(temporary, content, { mode: fileMode });
      renameSync(temporary, path);
    } catch (error) {
      removeLeftover(temporary);
      throw error;
    }
  }

  async #read(name: UnitName): Promise<Uint8Array | undefined> {
    try {
      return await readFile(this.path(name));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** `undefined` if it has gone meanwhile. */
  async #describe(name: UnitName): Promise<UnitFileHere | undefined> {
    const fingerprint = this.#findFingerprint(name);
    const cached = this.#fileByName.get(name);
    if (fingerprint === undefined) return undefined;
    if (cached?.fingerprint === fingerprint) return cached;
    const content = await this.#read(name);
    return content === undefined ? undefined : this.#learn(name, content, fingerprint);
  }

  /** Notes what a file is, by its bytes, read after its fingerprint was. */
  #learn(name: UnitName, content: Uint8Array, fingerprint: string): UnitFileHere {
    const described = { fingerprint, ...describeFile(content) };
    this.#fileByName.set(name, described);
    return described;
  }

  /** Another one says that the file may have been written. Synchronous: 5 us a file, a tenth of what it takes else. */
  #findFingerprint(name: UnitName): string | undefined {
    const found = statSync(this.path(name), { throwIfNoEntry: false });
    return found && `${found.mtimeMs} ${found.ctimeMs} ${found.size} ${found.ino}`;
  }

  /** What this process has written and removed, it knows. A directory that is gone is no entry of itself. */
  #isForeignChange(entry: string): boolean {
    if (!isUnitName(entry)) return entry === basename(this.#directory);
    try {
      return this.#findFingerprint(entry) !== this.#fileByName.get(entry)?.fingerprint;
    } catch {
      return true;
    }
  }

  #ignore(name: string): void {
    if (this.#strangers.has(name)) return;
    this.#strangers.add(name);
    this.#log.info('file in the units directory is not a unit file; ignored', { file: join(this.#directory, name) });
  }
}

/** What is left of a write that failed takes room where there may be none. */
function removeLeftover(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // That the write failed tells more.
  }
}

/** What a unit file's bytes are. */
export function describeFile(content: Uint8Array): UnitFileHere {
  return { hash: findHash(content), sha256: createHash('sha256').update(content).digest('hex') };
}

function findHash(content: Uint8Array): UnitHash | undefined {
  try {
    return hashUnitFile(parseUnitFile(content));
  } catch {
    return undefined;
  }
}

function findInstall(content: Uint8Array): boolean {
  try {
    return hasInstallSection(parseUnitFile(content));
  } catch {
    return false;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
