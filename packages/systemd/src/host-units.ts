import type { Dirent } from 'node:fs';
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type UnitName, unitNameParts } from '@flotilla/unit';
import type { Systemctl } from './systemctl.js';
import type { UnitsDirectory } from './units-directory.js';

export interface HostUnitsOptions {
  readonly systemctl: Systemctl;
  readonly directory: UnitsDirectory;
  readonly user: boolean;
  /** Where the host's root directory is. */
  readonly root: string;
}

/** Where systemd looks for units, up to the directory that `link --runtime` links in. */
interface Places {
  /** systemd prefers what is in these. */
  readonly before: readonly string[];
  readonly links: string;
  /** The link is preferred to what is in these. */
  readonly after: readonly string[];
}

/** Which names the host has given to units of its own. What systemd would do under such a name, it would do to those. */
export class HostUnits {
  readonly #options: HostUnitsOptions;
  #places: Places | undefined;

  constructor(options: HostUnitsOptions) {
    this.#options = options;
  }

  /** Those of `names` that systemd has, or prefers, another file for, with the reason not to touch them. */
  async find(names: readonly UnitName[]): Promise<Map<UnitName, string>> {
    if (names.length === 0) return new Map();
    this.#places ??= await this.#findPlaces();
    const { before, links } = this.#places;
    const found = new Map<UnitName, string>();
    const places = [...before, links];
    for (const [index, there] of (await Promise.all(places.map((place) => this.#read(place)))).entries()) {
      const place = places[index] ?? links;
      const entries = new Map(there.map((entry) => [entry.name, entry]));
      for (const name of names) {
        const entry = entries.get(name);
        if (entry === undefined || found.has(name)) continue;
        const path = join(place, name);
        // A link there is replaced by ours; systemctl does not replace a file.
        const isInTheWay = place === links ? entry.isFile() : await this.#isInTheWay(name, path, entry);
        if (isInTheWay) found.set(name, `the host has a unit of its own under this name: ${path}`);
      }
    }
    return found;
  }

  /** Those of `names` for which the host has a file that a link of ours is preferred to, and no such link yet. */
  async findHidden(names: readonly UnitName[]): Promise<UnitName[]> {
    if (names.length === 0) return [];
    this.#places ??= await this.#findPlaces();
    const { links, after } = this.#places;
    const linked = new Set((await this.#read(links)).map((entry) => entry.name));
    const files = new Set((await Promise.all(after.map((place) => this.#read(place)))).flat().map(({ name }) => name));
    const hasFile = (name: UnitName) => files.has(name) || files.has(unitNameParts(name).template ?? name);
    return names.filter((name) => !linked.has(name) && hasFile(name));
  }

  /** A mask is no unit, and neither is a lasting link to the agent's own file. */
  async #isInTheWay(name: UnitName, path: string, entry: Dirent): Promise<boolean> {
    if (!entry.isSymbolicLink()) return entry.isFile();
    const { root, directory } = this.#options;
    try {
      const target = await readlink(join(root, path));
      return target !== '/dev/null' && target !== directory.path(name);
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  async #findPlaces(): Promise<Places> {
    const { systemctl, user } = this.#options;
    const paths = await systemctl.findUnitPath();
    // Transient units are made beside the links, in a manager's part of /run or of $XDG_RUNTIME_DIR.
    const transient = paths.find((path) => path.endsWith('/systemd/transient')) ?? '/run/systemd/transient';
    const links = transient.replace(/transient$/, user ? 'user' : 'system');
    const at = paths.indexOf(links);
    return { before: paths.slice(0, Math.max(at, 0)), links, after: at < 0 ? [] : paths.slice(at + 1) };
  }

  async #read(place: string): Promise<Dirent[]> {
    try {
      return await readdir(join(this.#options.root, place), { withFileTypes: true });
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
