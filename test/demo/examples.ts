import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** How many instances of a template the demo starts: one for each host. */
const instancesPerTemplate = 3;

/** Placement options that are read but not obeyed yet: such units would land anywhere. */
const notObeyed = /^(MachineOf)\s*=/m;

const directory = fileURLToPath(new URL('../../../units-examples/', import.meta.url));

/** What the demo does with the files of units-examples/. */
export interface Examples {
  /** Arguments for `fleetctl start`: paths. */
  readonly toStart: readonly string[];
  /** Arguments for `fleetctl load`: what a timer starts. */
  readonly toLoad: readonly string[];
  /** Files left out, and why. */
  readonly leftOut: ReadonlyMap<string, string>;
  /** Names of units that run on every machine. */
  readonly globals: ReadonlySet<string>;
  /** All `key=value` that some unit wants of its machine. */
  readonly wantedMetadata: readonly string[];
}

/** Reads units-examples/ and sorts its files by what is to be done with them. */
export async function readExamples(): Promise<Examples> {
  const names = (await readdir(directory)).filter((name) => !name.endsWith('.md')).sort();
  const files = new Map<string, string>();
  for (const name of names) files.set(name, await readFile(join(directory, name), 'utf8'));
  const leftOut = filesLeftOut(files);
  const started = names.filter((name) => !leftOut.has(name));
  const isTimed = (name: string) => files.has(name.replace(/\.service$/, '.timer'));
  return {
    toStart: started.filter((name) => !name.endsWith('.service') || !isTimed(name)).flatMap(pathsToStart),
    toLoad: started.filter((name) => name.endsWith('.service') && isTimed(name)).map((name) => join(directory, name)),
    leftOut,
    globals: new Set(started.filter((name) => /^Global\s*=\s*true/m.test(files.get(name) ?? ''))),
    wantedMetadata: [...files.values()].flatMap(metadataOf),
  };
}

function filesLeftOut(files: ReadonlyMap<string, string>): Map<string, string> {
  const leftOut = new Map<string, string>();
  for (const [name, text] of files) {
    const option = notObeyed.exec(text)?.[1];
    if (option !== undefined) leftOut.set(name, `${option}= is not obeyed yet`);
  }
  return leftOut;
}

function pathsToStart(name: string): string[] {
  if (!name.includes('@.')) return [join(directory, name)];
  const numbers = Array.from({ length: instancesPerTemplate }, (_, index) => index + 1);
  return numbers.map((number) => join(directory, name.replace('@.', `@${number}.`)));
}

function metadataOf(text: string): string[] {
  const lines = [...text.matchAll(/^MachineMetadata\s*=\s*(.*)$/gm)].map(([, value = '']) => value);
  return lines.flatMap((value) => [...value.matchAll(/[^"\s]+=[^"\s]+/g)].map(([pair]) => pair));
}
