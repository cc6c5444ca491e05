import type { Clock } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';
import { MemoryUnit } from './memory-unit.js';
import type { UnitFailures, UnitFileHere, UnitFileToLoad, UnitManager, UnitStatus } from './unit-manager.js';
import { describeFile } from './units-directory.js';

export interface MemoryUnitManagerOptions {
  /** Drives what takes time: `/bin/sleep` in a unit's commands. */
  readonly clock: Clock;
  /** Told of each call before it is carried out, with its units. @default nobody */
  readonly onCall?: (call: MemoryCall, names: readonly UnitName[]) => void;
}

/** What costs a process on a real host. */
export type MemoryCall = 'list' | 'load' | 'unload' | 'start' | 'restart' | 'stop' | 'kill';

/**
 * A small systemd in memory. It understands as much of a unit file as tests need: `Type=oneshot`, `RemainAfterExit=`,
 * and the commands `/bin/true`, `/bin/false` and `/bin/sleep N` in `ExecStart=` and `ExecStop=`.
 */
export class MemoryUnitManager implements UnitManager {
  readonly #clock: Clock;
  readonly #onCall: (call: MemoryCall, names: readonly UnitName[]) => void;
  readonly #files = new Map<UnitName, { readonly content: Uint8Array; readonly here: UnitFileHere }>();
  readonly #units = new Map<UnitName, MemoryUnit>();
  readonly #refusals = new Map<UnitName, string>();
  readonly #hostUnits = new Set<UnitName>();
  readonly #clinging = new Set<UnitName>();
  #hidden: string | undefined;
  readonly #listeners = new Set<() => void>();
  #calls = 0;

  constructor({ clock, onCall = () => {} }: MemoryUnitManagerOptions) {
    this.#clock = clock;
    this.#onCall = onCall;
  }

  /** How many calls that cost a process on a real host were made. */
  get calls(): number {
    return this.#calls;
  }

  /** From now on load, start, stop and restart of the unit fail with `message`; `undefined` ends it. */
  refuse(name: UnitName, message: string | undefined): void {
    if (message === undefined) this.#refusals.delete(name);
    else this.#refusals.set(name, message);
  }

  /** From now on stops of the unit are accepted and come to nothing, as with a mount that is busy; `false` ends it. */
  cling(name: UnitName, clings: boolean): void {
    if (clings) this.#clinging.add(name);
    else this.#clinging.delete(name);
  }

  /** From now on nobody can say which files there are, for this reason; `undefined` ends it. */
  hideFiles(reason: string | undefined): void {
    this.#hidden = reason;
  }

  /** The unit's main process dies. */
  fail(name: UnitName): void {
    this.#units.get(name)?.fail();
  }

  /** Puts a file where the agent's files are, as a stranger would. */
  dropFile({ name, content }: UnitFileToLoad): void {
    this.#files.set(name, { content, here: describeFile(content) });
    this.#changed();
  }

  /** The host has, and runs, a unit of its own under this name. */
  addHostUnit({ name, content }: UnitFileToLoad): void {
    const unit = this.#create(name, content);
    this.#hostUnits.add(name);
    this.#units.set(name, unit);
    unit.start();
  }

  /** Everything stops and systemd forgets all units; the files stay. */
  reboot(): void {
    for (const unit of this.#units.values()) unit.vanish();
    this.#units.clear();
    this.#changed();
  }

  async listFiles(): Promise<ReadonlyMap<UnitName, UnitFileHere>> {
    if (this.#hidden !== undefined) throw new Error(this.#hidden);
    return new Map([...this.#files].map(([name, { here }]) => [name, here]));
  }

  async readFiles(names: readonly UnitName[]): Promise<ReadonlyMap<UnitName, Uint8Array>> {
    return new Map(
      names.flatMap((name) => {
        const content = this.#files.get(name)?.content;
        return content === undefined ? [] : [[name, content] as const];
      }),
    );
  }

  async listUnits(names: readonly UnitName[]): Promise<ReadonlyMap<UnitName, UnitStatus>> {
    this.#count('list', names);
    const notFound: UnitStatus = { load: 'not-found', active: 'inactive', sub: 'dead', job: undefined };
    return new Map(names.map((name) => [name, this.#units.get(name)?.status ?? notFound]));
  }

  async load(files: readonly UnitFileToLoad[]): Promise<UnitFailures> {
    const byName = new Map(files.map((file) => [file.name, file]));
    return this.#forEach('load', [...byName.keys()], (name) => {
      const content = byName.get(name)?.content ?? new Uint8Array();
      const old = this.#units.get(name);
      if (this.#hostUnits.has(name)) return hostUnitMessage(name);
      this.#files.set(name, { content, here: describeFile(content) });
      // Scopes are made by programs, never loaded from files.
      if (name.endsWith('.scope')) return 'systemd does not load this unit';
      if (old?.isResting !== false) {
        this.#units.set(name, this.#create(name, content));
        this.#changed();
      }
      return undefined;
    });
  }

  async unload(names: readonly UnitName[]): Promise<UnitFailures> {
    return this.#forEach('unload', names, (name) => {
      this.#files.delete(name);
      if (!this.#hostUnits.has(name) && this.#units.get(name)?.isResting === true) {
        this.#units.delete(name);
        this.#changed();
      }
      return undefined;
    });
  }

  async start(names: readonly UnitName[]): Promise<UnitFailures> {
    return this.#forEach('start', names, (name) => {
      const refusal = this.#findRefusal(name);
      if (refusal === undefined) this.#units.get(name)?.start();
      return refusal;
    });
  }

  async restart(names: readonly UnitName[]): Promise<UnitFailures> {
    return this.#forEach('restart', names, (name) => {
      const refusal = this.#findRefusal(name);
      if (refusal === undefined) this.#units.get(name)?.restart();
      return refusal;
    });
  }

  async stop(names: readonly UnitName[]): Promise<UnitFailures> {
    return this.#forEach('stop', names, (name) => {
      if (this.#hostUnits.has(name)) return hostUnitMessage(name);
      if (!this.#clinging.has(name)) this.#units.get(name)?.stop();
      return undefined;
    });
  }

  async kill(names: readonly UnitName[]): Promise<UnitFailures> {
    return this.#forEach('kill', names, (name) => {
      if (this.#hostUnits.has(name)) return hostUnitMessage(name);
      this.#units.get(name)?.kill();
      return undefined;
    });
  }

  doubt(): void {}

  onChange(listener: () => void): { close(): void } {
    const entry = () => listener();
    this.#listeners.add(entry);
    return { close: () => this.#listeners.delete(entry) };
  }

  close(): void {
    this.#listeners.clear();
  }

  #forEach(call: MemoryCall, names: readonly UnitName[], act: (name: UnitName) => string | undefined): UnitFailures {
    this.#count(call, names);
    const failures = new Map<UnitName, string>();
    for (const name of names) {
      const message = this.#refusals.get(name) ?? act(name);
      if (message !== undefined) failures.set(name, message);
    }
    return failures;
  }

  #count(call: MemoryCall, names: readonly UnitName[]): void {
    this.#calls++;
    this.#onCall(call, names);
  }

  #create(name: UnitName, content: Uint8Array): MemoryUnit {
    return new MemoryUnit(name, content, { clock: this.#clock, onChange: () => this.#changed() });
  }

  #findRefusal(name: UnitName): string | undefined {
    if (this.#hostUnits.has(name)) return hostUnitMessage(name);
    const unit = this.#units.get(name);
    if (unit === undefined) return `Unit ${name} not found.`;
    return unit.isBad ? `Unit ${name} has a bad unit file setting.` : undefined;
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

function hostUnitMessage(name: UnitName): string {
  return `the host has a unit of its own under this name: /etc/systemd/system/${name}`;
}
