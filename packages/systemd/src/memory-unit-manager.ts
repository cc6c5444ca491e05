import type { Clock } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';
import { MemoryUnit } from './memory-unit.js';
import type { UnitFailures, UnitFileHere, UnitFileToLoad, UnitManager, UnitStatus } from './unit-manager.js';
import { describeFile } from './units-directory.js';

export interface MemoryUnitManagerOptions {
  /** Drives what takes time: `/bin/sleep` in a unit's commands. */
  readonly clock: Clock;
}

/**
 * A small systemd in memory. It understands as much of a unit file as tests need: `Type=oneshot`, `RemainAfterExit=`,
 * and the commands `/bin/true`, `/bin/false` and `/bin/sleep N` in `ExecStart=` and `ExecStop=`.
 */
export class MemoryUnitManager implements UnitManager {
  readonly #clock: Clock;
  readonly #files = new Map<UnitName, UnitFileHere>();
  readonly #units = new Map<UnitName, MemoryUnit>();
  readonly #refusals = new Map<UnitName, string>();
  readonly #listeners = new Set<() => void>();
  #calls = 0;

  constructor({ clock }: MemoryUnitManagerOptions) {
    this.#clock = clock;
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

  /** The unit's main process dies. */
  fail(name: UnitName): void {
    this.#units.get(name)?.fail();
  }

  /** Puts a file where the agent's files are, as a stranger would. */
  dropFile({ name, content }: UnitFileToLoad): void {
    this.#files.set(name, describeFile(content));
  }

  /** Everything stops and systemd forgets all units; the files stay. */
  reboot(): void {
    for (const unit of this.#units.values()) unit.vanish();
    this.#units.clear();
    this.#changed();
  }

  async listFiles(): Promise<ReadonlyMap<UnitName, UnitFileHere>> {
    return new Map(this.#files);
  }

  async listUnits(names: readonly UnitName[]): Promise<ReadonlyMap<UnitName, UnitStatus>> {
    this.#calls++;
    const notFound: UnitStatus = { load: 'not-found', active: 'inactive', sub: 'dead', job: undefined };
    return new Map(names.map((name) => [name, this.#units.get(name)?.status ?? notFound]));
  }

  async load(files: readonly UnitFileToLoad[]): Promise<UnitFailures> {
    const byName = new Map(files.map((file) => [file.name, file]));
    return this.#forEach([...byName.keys()], (name) => {
      const content = byName.get(name)?.content ?? new Uint8Array();
      const old = this.#units.get(name);
      this.#files.set(name, describeFile(content));
      if (old?.isResting !== false) {
        this.#units.set(name, new MemoryUnit(name, content, { clock: this.#clock, onChange: () => this.#changed() }));
        this.#changed();
      }
      return undefined;
    });
  }

  async unload(names: readonly UnitName[]): Promise<UnitFailures> {
    return this.#forEach(names, (name) => {
      this.#files.delete(name);
      if (this.#units.get(name)?.isResting === true) {
        this.#units.delete(name);
        this.#changed();
      }
      return undefined;
    });
  }

  async start(names: readonly UnitName[]): Promise<UnitFailures> {
    return this.#forEach(names, (name) => {
      const refusal = this.#findRefusal(name);
      if (refusal === undefined) this.#units.get(name)?.start();
      return refusal;
    });
  }

  async restart(names: readonly UnitName[]): Promise<UnitFailures> {
    return this.#forEach(names, (name) => {
      const refusal = this.#findRefusal(name);
      if (refusal === undefined) this.#units.get(name)?.restart();
      return refusal;
    });
  }

  async stop(names: readonly UnitName[]): Promise<UnitFailures> {
    return this.#forEach(names, (name) => {
      this.#units.get(name)?.stop();
      return undefined;
    });
  }

  onChange(listener: () => void): { close(): void } {
    const entry = () => listener();
    this.#listeners.add(entry);
    return { close: () => this.#listeners.delete(entry) };
  }

  #forEach(names: readonly UnitName[], act: (name: UnitName) => string | undefined): UnitFailures {
    this.#calls++;
    const failures = new Map<UnitName, string>();
    for (const name of names) {
      const message = this.#refusals.get(name) ?? act(name);
      if (message !== undefined) failures.set(name, message);
    }
    return failures;
  }

  #findRefusal(name: UnitName): string | undefined {
    const unit = this.#units.get(name);
    if (unit === undefined) return `Unit ${name} not found.`;
    return unit.isBad ? `Unit ${name} has a bad unit file setting.` : undefined;
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
