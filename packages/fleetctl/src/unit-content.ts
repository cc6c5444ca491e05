import { readFile } from 'node:fs/promises';
import type { Client } from '@flotilla/client';
import { FleetError } from '@flotilla/errors';
import type { UnitEntity, UnitOptionEntity } from '@flotilla/schema';
import {
  formatUnitFile,
  hashUnitFile,
  parseRequirements,
  parseUnitFileWithLines,
  parseUnitName,
  UnitError,
  type UnitFile,
  type UnitFileWithLines,
  type UnitHash,
  type UnitName,
  unitNameParts,
} from '@flotilla/unit';

/** The content of a unit: what it says, and the text that it was read from. */
export interface UnitContent extends UnitFileWithLines {
  readonly text: string;
  readonly hash: UnitHash;
  /** What errors call it: a path, or the name of a unit. */
  readonly source: string;
  /** It comes from the registry. */
  readonly isStored?: true;
}

/** What lies on this machine for an argument: its own file, or the file of its template. */
export interface LocalContent extends UnitContent {
  readonly kind: 'unit' | 'template';
}

/** Reads unit files, each path once: a hundred instances share a template. */
export class LocalUnitFiles {
  readonly #byPath = new Map<string, Promise<UnitContent | undefined>>();

  /**
   * The file at `path`, or else the template beside it that the unit is an instance of.
   *
   * @throws UnitError `invalid-unit-file`, with file, line and option.
   */
  async find(name: UnitName, path: string): Promise<LocalContent | undefined> {
    const own = await this.#read(path);
    if (own !== undefined) return { ...own, kind: 'unit' };
    const { template } = unitNameParts(name);
    if (template === undefined) return undefined;
    const beside = await this.#read(path.slice(0, path.length - name.length) + template);
    return beside && { ...beside, kind: 'template' };
  }

  #read(path: string): Promise<UnitContent | undefined> {
    const known = this.#byPath.get(path);
    if (known !== undefined) return known;
    const reading = readContent(path);
    this.#byPath.set(path, reading);
    return reading;
  }
}

async function readContent(path: string): Promise<UnitContent | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    const detail = error instanceof Error ? error.message.replace(/,.*$/, '') : String(error);
    throw new FleetError('unreadable-file', `cannot read ${path}: ${detail}`, { cause: error });
  }
  // Parsed as bytes, so that what is not UTF-8 is refused with its line.
  const parsed = parseUnitFileWithLines(bytes, path);
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  return { ...parsed, text, hash: hashUnitFile(parsed.file), source: path };
}

/** The content that the registry holds for a unit. */
export function storedContent(unit: UnitEntity): UnitContent {
  const file = storedFile(unit);
  const text = unit.file ?? formatUnitFile(file);
  const { lines } = unit.file === undefined ? { lines: [] } : parseUnitFileWithLines(unit.file, unit.name);
  return { file, lines, text, hash: hashUnitFile(file), source: unit.name, isStored: true };
}

/** What the registry's copy says. */
export function storedFile({ options = [] }: UnitEntity): UnitFile {
  return { options: options.map(({ section, name, value = '' }) => ({ section, name, value })) };
}

/** A file's options in the form of the API. */
export function toOptionEntities({ options }: UnitFile): UnitOptionEntity[] {
  return options.map(({ section, name, value }) => (value === '' ? { name, section } : { name, section, value }));
}

/**
 * Whether the unit runs on every fitting machine.
 *
 * @throws UnitError `invalid-requirements`, with file, line and option, if `[X-Fleet]` makes no sense.
 */
export function isGlobalContent(
  name: UnitName,
  { file, lines, source }: UnitContent,
  { allowUnknown }: { readonly allowUnknown: boolean },
): boolean {
  return parseRequirements({ name, file, lines, source, allowUnknown }).isGlobal;
}

/** The same of a unit that is registered already; one that makes no sense counts as not global. */
export function isGlobalUnit(unit: UnitEntity): boolean {
  const file = storedFile(unit);
  if (!file.options.some(({ section }) => section === 'X-Fleet')) return false;
  try {
    return parseRequirements({ name: parseUnitName(unit.name), file, allowUnknown: true }).isGlobal;
  } catch (error) {
    if (error instanceof UnitError) return false;
    throw error;
  }
}

/** Whether systemd counts the unit's start as done when its command has ended. */
export function isOneshotFile({ options }: UnitFile): boolean {
  return options.filter(({ section, name }) => section === 'Service' && name === 'Type').at(-1)?.value === 'oneshot';
}

/** Reads templates from the registry, each once. */
export class StoredTemplates {
  readonly #client: Client;
  readonly #byName = new Map<string, Promise<UnitContent | undefined>>();

  constructor(client: Client) {
    this.#client = client;
  }

  /** The registered template of an instance. */
  find(name: UnitName): Promise<UnitContent | undefined> {
    const { template } = unitNameParts(name);
    if (template === undefined) return Promise.resolve(undefined);
    const known = this.#byName.get(template);
    if (known !== undefined) return known;
    const reading = this.#client.findUnit(template).then((unit) => unit && storedContent(unit));
    this.#byName.set(template, reading);
    return reading;
  }
}
