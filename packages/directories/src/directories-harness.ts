import type { MachineId } from '@flotilla/cluster';
import type { FolderEntry, FolderFault, FolderLook } from '@flotilla/folder';
import {
  type DirectoryHostRecord,
  findUnit,
  listDirectories,
  MemoryStore,
  observeStore,
  type RegistryAccess,
  ranges,
  readClaims,
  type UnitRecord,
} from '@flotilla/registry';
import { type LogFields, type Logger, silentLogger, TestClock } from '@flotilla/runtime';
import { type OwnerName, parseOwnerName, parseUnitName, type UnitName } from '@flotilla/unit';
import type { DirectoryMemory } from './brake.js';
import { createDirectories, type Directories } from './directories.js';
import type { FolderAccess } from './folder-access.js';
import type { MemoryFile } from './memory-file.js';

export const local = parseOwnerName('local');

/** Longer than anything takes that waits for files to come to rest. */
export const settleMs = 6_000;

/** A folder in memory; nothing tells of its changes, unless `isWatched`. */
export class MemoryFolder implements FolderAccess {
  place = '1:1';
  isThere = true;
  isWatched = true;
  #entries = new Map<string, FolderEntry>();
  #changes = 0;
  #onTouched: (() => void) | undefined;

  /** Puts the whole content of a file there at once. */
  write(name: string, content: string | FolderFault, target?: string): void {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const entry = { name, content: bytes, signature: `${++this.#changes}`, ...(target !== undefined && { target }) };
    this.#entries.set(name, entry);
    this.#touch();
  }

  remove(...names: readonly string[]): void {
    for (const name of names) this.#entries.delete(name);
    this.#touch();
  }

  clear(): void {
    this.remove(...this.#entries.keys());
  }

  names(): readonly string[] {
    return [...this.#entries.keys()].sort();
  }

  textOf(name: string): string {
    const content = this.#entries.get(name)?.content;
    return content instanceof Uint8Array ? new TextDecoder().decode(content) : '';
  }

  /** What it has, to be put back by {@link restore}. */
  copy(): ReadonlyMap<string, FolderEntry> {
    return new Map(this.#entries);
  }

  restore(copy: ReadonlyMap<string, FolderEntry>): void {
    this.#entries = new Map(copy);
    this.#touch();
  }

  look(): Promise<FolderLook> {
    if (!this.isThere)
      return Promise.resolve({ kind: 'missing', why: 'absent', message: 'there is no such directory' });
    const entries = this.names().flatMap((name) => this.#entries.get(name) ?? []);
    return Promise.resolve({ kind: 'there', place: this.place, stamp: this.#stamp, entries });
  }

  hasMoved(previous: FolderLook): Promise<boolean> {
    if (previous.kind === 'missing') return Promise.resolve(this.isThere);
    return Promise.resolve(!this.isThere || previous.stamp !== this.#stamp);
  }

  keepWatch(onTouched: () => void): Promise<boolean> {
    this.#onTouched = onTouched;
    return Promise.resolve(this.isWatched);
  }

  close(): void {
    this.#onTouched = undefined;
  }

  get #stamp(): string {
    return `${this.place}:${this.names().join()}`;
  }

  #touch(): void {
    if (this.isWatched) this.#onTouched?.();
  }
}

/** A disk's one file, which can be copied and put back. */
export class MemoryDisk implements MemoryFile {
  readonly path = '/state/local.json';
  content: DirectoryMemory | undefined;
  isFailing = false;

  load(): Promise<DirectoryMemory | undefined> {
    return Promise.resolve(this.content);
  }

  save(memory: DirectoryMemory): Promise<void> {
    if (this.isFailing) return Promise.reject(new Error('no space left on device'));
    this.content = memory;
    return Promise.resolve();
  }

  remove(): Promise<void> {
    this.content = undefined;
    return Promise.resolve();
  }
}

/** One host with one directory. */
export class TestHost {
  readonly machine: MachineId;
  readonly owner: OwnerName;
  readonly folder = new MemoryFolder();
  readonly disk = new MemoryDisk();
  readonly store: MemoryStore;
  readonly access: RegistryAccess;
  readonly lines: string[] = [];
  /** How often the store was asked or written to. */
  calls = 0;
  readonly #clock: TestClock;
  #directories: Directories | undefined;

  constructor(world: TestWorld, { machine, owner }: { readonly machine: string; readonly owner: OwnerName }) {
    this.machine = machine as MachineId;
    this.owner = owner;
    this.store = world.store.client();
    this.access = { store: this.store, log: silentLogger };
    this.#clock = world.clock;
  }

  start({ isConfigured = true }: { readonly isConfigured?: boolean } = {}): void {
    if (this.#directories !== undefined) return;
    const observer = () => this.calls++;
    this.#directories = createDirectories({
      store: observeStore({ store: this.store, clock: this.#clock, observer }),
      clock: this.#clock,
      log: keepLines(this.lines),
      machine: this.machine,
      directories: isConfigured ? [{ name: this.owner, path: '/units' }] : [],
      stateDirectory: '/none',
      openFolder: () => this.folder,
      openMemory: () => this.disk,
    });
    this.#directories.start();
  }

  async stop(): Promise<void> {
    await this.#directories?.close();
    this.#directories = undefined;
  }

  async restart(): Promise<void> {
    await this.stop();
    this.start();
  }

  describe() {
    return this.#directories?.describe();
  }

  async row(): Promise<DirectoryHostRecord | undefined> {
    const rows = await listDirectories({ ...this.access, store: this.store }, this.owner);
    return rows.find(({ claimant }) => claimant === this.machine)?.record;
  }

  async claims(): Promise<readonly UnitName[]> {
    return [...(await readClaims(this.access, { owner: this.owner, claimant: this.machine })).keys()].sort();
  }
}

/** Hosts over one store, on one clock. */
export class TestWorld {
  readonly clock = new TestClock();
  readonly store = new MemoryStore({ clock: this.clock });
  readonly access: RegistryAccess = { store: this.store, log: silentLogger };
  readonly hosts: TestHost[] = [];

  host(machine: string, owner = local): TestHost {
    const host = new TestHost(this, { machine, owner });
    this.hosts.push(host);
    return host;
  }

  /** A host that has been started, and has settled. */
  async startedHost(machine: string, files: Readonly<Record<string, string>> = {}): Promise<TestHost> {
    const host = this.host(machine);
    for (const [name, text] of Object.entries(files)) host.folder.write(name, text);
    host.start();
    await this.settle();
    return host;
  }

  async settle(ms = settleMs): Promise<void> {
    await this.clock.advance(ms);
  }

  async close(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.stop()));
    await Promise.all(this.hosts.map(({ store }) => store.close()));
    await this.store.close();
  }

  /** Text of each unit, by name. */
  async texts(): Promise<Readonly<Record<string, string | undefined>>> {
    const { kvs } = await this.store.range(ranges.units);
    const names = kvs.map(({ key }) => key.slice(ranges.units.from.length));
    const found = await Promise.all(names.map(async (name) => [name, await this.text(name)] as const));
    return Object.fromEntries(found);
  }

  async text(name: string): Promise<string | undefined> {
    const unit = await findUnit(this.access, parseUnitName(name));
    return unit && new TextDecoder().decode(unit.file);
  }

  async record(name: string): Promise<UnitRecord | undefined> {
    const { kvs } = await this.store.range({ from: `units/${name}` });
    return kvs[0] && (JSON.parse(new TextDecoder().decode(kvs[0].value)) as UnitRecord);
  }
}

/** A unit file of a few lines. */
export function unitText(mark: string | number): string {
  return `[Service]\nExecStart=/bin/sleep ${mark}\n`;
}

function keepLines(lines: string[]): Logger {
  const keep = (message: string, fields?: LogFields) => {
    lines.push(`${message}${fields === undefined ? '' : ` ${JSON.stringify(fields)}`}`);
  };
  const log: Logger = { debug: () => undefined, info: keep, warn: keep, error: keep, child: () => log };
  return log;
}
