import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { settingTable } from '@flotilla/cluster';
import { version } from '@flotilla/errors';

const packages = fileURLToPath(new URL('../../packages/', import.meta.url));
const architecture = readFileSync(join(packages, 'README.md'), 'utf8');

/** The source files of all packages, tests left out. */
function sources(): string[] {
  return readdirSync(packages, { recursive: true, encoding: 'utf8' })
    .filter((path) => /^[^/]+\/src\/.*\.ts$/.test(path) && !/\.(test|contract)\.ts$/.test(path))
    .map((path) => readFileSync(join(packages, path), 'utf8'));
}

/** Codes that errors are made with: the first argument of a FleetError or of one of its kinds. */
function thrownCodes(): Set<string> {
  const codes = new Set<string>();
  const made = /(?:new (?:FleetError|FatalError|UnitError)|super)\(\s*'([a-z]+(?:-[a-z]+)*)'/g;
  for (const text of sources()) for (const [, code] of text.matchAll(made)) if (code !== undefined) codes.add(code);
  const kinds = sources().find((text) => text.includes('export type StoreErrorCode'));
  assert.ok(kinds, 'the kinds of StoreError are found');
  const union = /export type StoreErrorCode =([^;]+);/.exec(kinds)?.[1] ?? '';
  for (const [, kind] of union.matchAll(/'([a-z-]+)'/g)) codes.add(`store-${kind}`);
  return codes;
}

/** First cells of the table below a heading of the architecture page. */
function tableOf(heading: string): string[] {
  const section = architecture.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell]) => cell ?? '');
}

describe('packages/README.md', () => {
  test('names every error code, and no other', () => {
    assert.deepEqual(tableOf('Errors'), [...thrownCodes()].sort());
  });

  test('names every key that the registry spells', () => {
    const source = readFileSync(join(packages, 'registry/src/keys.ts'), 'utf8');
    const layout = /export const keys = \{(.*?)\n\} as const;/s.exec(source)?.[1] ?? '';
    const tables = [...layout.matchAll(/(?:: '|=> `)([a-z-]+)/g)].map(([, table]) => table ?? '');
    const documented = tableOf('Keys').map((key) => key.split('/')[0] ?? '');
    assert.ok(tables.length > 5);
    assert.deepEqual(documented.sort(), tables.sort());
  });
});

test('every file that packages/README.md has hold or test a law is there', () => {
  const laws = architecture.split('\n## Laws\n')[1]?.split('\n## ')[0] ?? '';
  const files = [...laws.matchAll(/`([a-z0-9/.-]+\.ts)`/g)].map(([, file]) => file ?? '');
  assert.ok(files.length > 30);
  const repository = join(packages, '..');
  for (const file of files) {
    const places = file.startsWith('test/')
      ? [file]
      : [`packages/${file.replace('/', '/src/')}`, `test/cluster/${file}`];
    assert.ok(
      places.some((place) => existsSync(join(repository, place))),
      file,
    );
  }
});

test('README.md names every cluster setting with its default, and no other', () => {
  const readme = readFileSync(join(packages, '../README.md'), 'utf8');
  const table = readme.split('\n| setting | default |')[1]?.split('\n\n')[0] ?? '';
  assert.deepEqual(
    [...table.matchAll(/^\| `([^`]+)` \| `([^`]+)` \|/gm)].map(([, key, fallback]) => [key, fallback]),
    Object.entries(settingTable).map(([key, { fallback }]) => [key, fallback]),
  );
});

test('one version stands in every package file', () => {
  for (const entry of readdirSync(packages, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const file = JSON.parse(readFileSync(join(packages, entry.name, 'package.json'), 'utf8')) as { version: string };
    assert.equal(file.version, version, entry.name);
  }
});
