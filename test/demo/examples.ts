import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type MetadataTest, parseRequirements, parseUnitFile, parseUnitName, type Requirements } from '@flotilla/unit';

/** How many instances of a template the demo starts: one for each host. */
const instancesPerTemplate = 3;

const directory = fileURLToPath(new URL('../../../units-examples/', import.meta.url));

/** What the demo does with the files of units-examples/. */
export interface Examples {
  /** Arguments for `fleetctl start`: paths. */
  readonly toStart: readonly string[];
  /** Arguments for `fleetctl load`: what a timer starts. */
  readonly toLoad: readonly string[];
  /** Names of units that run on every machine. */
  readonly globals: ReadonlySet<string>;
  /** Names of units that can't share a machine with some other unit: when a machine is lost, they may have to wait. */
  readonly exclusive: ReadonlySet<string>;
  /** `key=value` pairs with which a machine fits every unit. */
  readonly wantedMetadata: readonly string[];
  /** Keys of metadata whose values instances are spread over. */
  readonly spreadKeys: readonly string[];
}

/** Reads units-examples/ and sorts its files by what is to be done with them. */
export async function readExamples(): Promise<Examples> {
  const files = (await readdir(directory)).filter((name) => !name.endsWith('.md')).sort();
  const isTimed = (name: string) => files.includes(name.replace(/\.service$/, '.timer')) && name.endsWith('.service');
  const toLoad = files.filter(isTimed).map((name) => join(directory, name));
  const toStart = files.filter((name) => !isTimed(name)).flatMap(pathsToStart);
  const asked = new Map<string, Requirements>();
  for (const path of [...toLoad, ...toStart]) asked.set(basename(path), await readRequirements(basename(path)));
  const all = [...asked.values()];
  const namesThat = (isMeant: (requirements: Requirements) => boolean) =>
    new Set([...asked].filter(([, requirements]) => isMeant(requirements)).map(([name]) => name));
  return {
    toStart,
    toLoad,
    globals: namesThat(({ isGlobal }) => isGlobal),
    exclusive: namesThat(({ conflicts }) => conflicts.length > 0),
    wantedMetadata: all.flatMap(metadataFor),
    spreadKeys: [...new Set(all.flatMap(({ spreadOver }) => spreadOver))],
  };
}

function pathsToStart(name: string): string[] {
  if (!name.includes('@.')) return [join(directory, name)];
  const numbers = Array.from({ length: instancesPerTemplate }, (_, index) => index + 1);
  return numbers.map((number) => join(directory, name.replace('@.', `@${number}.`)));
}

async function readRequirements(unit: string): Promise<Requirements> {
  const path = join(directory, unit.replace(/@\d+\./, '@.'));
  return parseRequirements({ name: parseUnitName(unit), file: parseUnitFile(await readFile(path), path) });
}

function metadataFor({ metadata, metadataTests }: Requirements): string[] {
  const accepted = [...metadata].map(([key, [value]]) => `${key}=${value}`);
  return [...accepted, ...metadataTests.flatMap(metadataToPass)];
}

/** A machine that says nothing of the key passes the other tests. */
function metadataToPass(test: MetadataTest): string[] {
  if (test.op === 'has') return [`${test.key}=yes`];
  if (test.op === '>=' || test.op === '<=') return [`${test.key}=${test.value}`];
  if (test.op === '>') return [`${test.key}=${test.value + 1}`];
  return test.op === '<' ? [`${test.key}=${test.value - 1}`] : [];
}
