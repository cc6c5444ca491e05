import { isUnitName, parseUnitName, UnitError, type UnitName, unitNameParts } from '@flotilla/unit';
import type { LineProblem } from './bundle.js';
import { type ByteLine, byteLines } from './text-lines.js';

/** The instances that a list asks for, in order of the file, each once. */
export interface InstanceList {
  readonly instances: readonly { readonly name: UnitName; readonly line: number }[];
  /** In order of lines. */
  readonly problems: readonly LineProblem[];
}

/** Reads a list of instances of `template`, one a line, with `#` comments. */
export function readInstanceList(bytes: Uint8Array, template: UnitName): InstanceList {
  const lineByName = new Map<UnitName, number>();
  const problems: LineProblem[] = [];
  for (const line of byteLines(bytes)) {
    const instance = line.text.replace(/(^|\s)#.*$/s, '').trim();
    if (instance === '') continue;
    const read = readInstance(instance, line, template);
    const known = read.name === undefined ? undefined : lineByName.get(read.name);
    if (read.name === undefined) problems.push({ line: line.number, message: read.problem });
    else if (known === undefined) lineByName.set(read.name, line.number);
    else problems.push({ line: line.number, message: `${instance} is there already, on line ${known}` });
  }
  return { instances: [...lineByName].map(([name, line]) => ({ name, line })), problems };
}

type ReadInstance = { readonly name: UnitName } | { readonly name?: never; readonly problem: string };

function readInstance(instance: string, { isText }: ByteLine, template: UnitName): ReadInstance {
  if (!isText) return { problem: 'is not valid UTF-8' };
  const { prefix, type } = unitNameParts(template);
  const meant = isUnitName(instance) ? unitNameParts(instance) : undefined;
  if (meant?.template === template)
    return { problem: `write only what makes the instance: ${meant.instance} instead of ${instance}` };
  try {
    return { name: parseUnitName(`${prefix}@${instance}.${type}`) };
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    return { problem: `${JSON.stringify(instance)} can't be the name of an instance (${error.problem})` };
  }
}
