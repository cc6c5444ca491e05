import { basename } from 'node:path';
import type { Logger } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';
import type { HostUnits } from './host-units.js';
import type { Systemctl } from './systemctl.js';
import { isNothingToDo, parseCreatedLinks } from './systemctl-output.js';
import type { UnitFailures, UnitFileToLoad, UnitStatus } from './unit-manager.js';
import type { UnitsDirectory, WrittenFile } from './units-directory.js';

export interface UnitLoaderOptions {
  readonly systemctl: Systemctl;
  readonly directory: UnitsDirectory;
  readonly hostUnits: HostUnits;
  /** systemd's word on each unit. */
  readonly list: (names: readonly UnitName[]) => Promise<ReadonlyMap<string, UnitStatus>>;
  /** Links files by a shorter way than systemctl, if there is one: the links that were made, else `undefined`. */
  readonly link: (paths: readonly string[]) => Promise<readonly string[] | undefined>;
  readonly log: Logger;
}

/** Puts unit files where systemd finds them and takes them away, with a reload only where systemd can't do without. */
export class UnitLoader {
  readonly #systemctl: Systemctl;
  readonly #directory: UnitsDirectory;
  readonly #hostUnits: HostUnits;
  readonly #list: UnitLoaderOptions['list'];
  readonly #linkByShortcut: UnitLoaderOptions['link'];
  readonly #log: Logger;

  constructor({ systemctl, directory, hostUnits, list, link, log }: UnitLoaderOptions) {
    this.#systemctl = systemctl;
    this.#directory = directory;
    this.#hostUnits = hostUnits;
    this.#list = list;
    this.#linkByShortcut = link;
    this.#log = log;
  }

  async load(files: readonly UnitFileToLoad[]): Promise<UnitFailures> {
    const names = files.map((file) => file.name);
    const failures = await this.#hostUnits.find(names);
    // systemd holds on to the files that it knows these units from, until it is told to look again.
    const held = await this.#systemctl.findLoaded(await this.#hostUnits.findHidden(names));
    for (const name of names) {
      const active = held.get(name)?.active;
      if (active !== undefined && active !== 'inactive' && active !== 'failed')
        failures.set(name, `the host runs a unit of its own under this name: it is ${active}`);
    }
    const written = this.#write(files, failures);
    const linked = new Set<string>();
    for (const verb of ['link', 'enable'] as const) {
      const those = written.filter((file) => file.hasInstall === (verb === 'enable')).map((file) => file.name);
      for (const [name, message] of await this.#link(verb, those, linked)) failures.set(name, message);
    }
    const done = written.filter((file) => !failures.has(file.name));
    const isHeld = done.some((file) => held.has(file.name));
    if (isHeld || (await this.#needsReload(done, linked))) await this.#systemctl.daemonReload();
    const overlooked = done.filter((file) => isOverlooked(file, linked)).map((file) => file.name);
    for (const name of await this.#findUnknown(overlooked))
      failures.set(name, 'systemd does not load this unit, although its file is where systemd looks for it');
    return failures;
  }

  /** Notes the names of the links that it makes in `linked`. */
  async #link(verb: 'link' | 'enable', names: readonly UnitName[], linked: Set<string>): Promise<UnitFailures> {
    const asArgument = (name: UnitName) => this.#directory.path(name);
    const isPlain = verb === 'link' && names.length > 0;
    const links = isPlain ? await this.#linkByShortcut(names.map(asArgument)) : undefined;
    if (links !== undefined) {
      for (const link of links) linked.add(basename(link));
      return new Map();
    }
    const onOutput = (output: string) => {
      for (const name of parseCreatedLinks(output)) linked.add(name);
    };
    return await this.#systemctl.forAll([verb, '--runtime', '--no-reload', '--force'], names, { asArgument, onOutput });
  }

  async unload(names: readonly UnitName[]): Promise<UnitFailures> {
    const failures = new Map<UnitName, string>();
    if (names.length === 0) return failures;
    for (const name of names) {
      try {
        await this.#directory.remove(name);
      } catch (error) {
        failures.set(name, `the unit file can't be removed: ${error instanceof Error ? error.message : error}`);
      }
    }
    // Without its file a unit's [Install] section can't make this fail; the links are found by the unit's name.
    const refused = await this.#systemctl.forAll(['disable', '--runtime', '--no-reload'], names);
    for (const [name, message] of refused) if (!isNothingToDo(message)) failures.set(name, message);
    await this.#forget(names);
    return failures;
  }

  /** Writes the files of units that have not failed, and notes those that fail now. */
  #write(files: readonly UnitFileToLoad[], failures: Map<UnitName, string>): WrittenFile[] {
    const written: WrittenFile[] = [];
    for (const file of files) {
      if (failures.has(file.name)) continue;
      try {
        written.push(this.#directory.write(file));
      } catch (error) {
        failures.set(file.name, `the unit file can't be written: ${error instanceof Error ? error.message : error}`);
      }
    }
    return written;
  }

  /** Units that a reload did not help to find: there are kinds that systemd never loads from files. */
  async #findUnknown(names: readonly UnitName[]): Promise<UnitName[]> {
    const statuses = names.length === 0 ? new Map() : await this.#list(names);
    return names.filter((name) => unloadable.has(statuses.get(name)?.load ?? ''));
  }

  /** systemd 252 finds a new link by itself; it needs telling when what it holds in memory has become outdated. */
  async #needsReload(written: readonly WrittenFile[], linked: ReadonlySet<string>): Promise<boolean> {
    // Units that another unit is to pull in: that one's dependencies are read anew.
    if (written.some((file) => file.hasInstall && linked.has(file.name))) return true;
    if (written.some((file) => isOverlooked(file, linked))) return true;
    // What runs while its link is missing is kept in memory as a unit without a file, until a reload.
    const outdated = written.filter((file) => file.was !== 'new' || !linked.has(file.name));
    if (outdated.length === 0) return false;
    return (await this.#systemctl.findLoaded(outdated.map((file) => file.name))).size > 0;
  }

  /** systemd drops stopped units by itself, but for failed ones and those that other units refer to. */
  async #forget(names: readonly UnitName[]): Promise<void> {
    let loaded = await this.#systemctl.findLoaded(names);
    const failed = names.filter((name) => loaded.get(name)?.active === 'failed');
    if (failed.length > 0) {
      const refused = await this.#systemctl.forAll(['reset-failed'], failed);
      if (refused.size > 0)
        this.#log.debug('failed units were gone before they were reset', { units: [...refused.keys()] });
      loaded = await this.#systemctl.findLoaded(names);
    }
    if (loaded.size > 0) await this.#systemctl.daemonReload();
  }
}

/** `error` is what systemd 252 makes of a running unit whose file it could not find. */
const unloadable: ReadonlySet<string> = new Set(['not-found', 'error']);

/** File and link were there and yet the unit is asked for: systemd has missed it. */
function isOverlooked(file: WrittenFile, linked: ReadonlySet<string>): boolean {
  return file.was === 'same' && !linked.has(file.name);
}
