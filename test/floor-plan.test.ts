import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bannedWords, floorPlan, homeOfTime, longestFile, longestTest, testLibraries } from './floor-plan.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const packageNames = Object.keys(floorPlan);

interface SourceFile {
  /** Relative to the repository. */
  readonly path: string;
  readonly text: string;
}

interface Import {
  readonly path: string;
  readonly target: string;
}

function filesIn(directory: string): SourceFile[] {
  const entries = readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' });
  const sources = entries.filter((entry) => entry.endsWith('.ts') && !entry.startsWith('dist/'));
  return sources.map((entry) => ({
    path: `${directory}/${entry}`,
    text: readFileSync(join(root, directory, entry), 'utf8'),
  }));
}

function importsOf({ path, text }: SourceFile): Import[] {
  const found = text.matchAll(/(?:^|[;}\s])(?:from|import)\s*\(?\s*['"]([^'"\n]+)['"]/g);
  return [...found].map(([, target = '']) => ({ path, target }));
}

/** `@scope/name/path` and `name/path` without the path. */
function libraryOf(target: string): string {
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
}

const read = <T>(path: string): T => JSON.parse(readFileSync(join(root, path), 'utf8')) as T;
const sorted = (names: Iterable<string>) => [...names].sort();
const shown = (imports: readonly Import[]) => imports.map(({ path, target }) => `${path} imports ${target}`);

const sources = new Map(packageNames.map((name) => [name, filesIn(`packages/${name}/src`)]));
const allSources = [...sources.values()].flat();
const testSources = filesIn('test');

describe('the floor plan', () => {
  it('has a row for every package, and only for packages', () => {
    const directories = readdirSync(join(root, 'packages'), { withFileTypes: true });
    const found = directories.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    assert.deepEqual(sorted(found), sorted(packageNames));
  });

  it('puts every package above those that it imports', () => {
    for (const [index, name] of packageNames.entries()) {
      const below = packageNames.slice(0, index);
      for (const imported of floorPlan[name]?.packages ?? []) {
        assert.ok(below.includes(imported), `${name} is not above ${imported}`);
      }
    }
  });

  it('is the one that packages/README.md shows', () => {
    const table = readFileSync(join(root, 'packages/README.md'), 'utf8').matchAll(
      /^\| \d \| `([^`]+)` \|[^|]*\|([^|]*)\|/gm,
    );
    const rows = [...table].map(([, name = '', imports = '']) => ({ name, imports: imports.trim() }));
    assert.deepEqual(
      rows.map(({ name }) => name),
      packageNames,
    );
    for (const { name, imports } of rows.filter((row) => !row.imports.startsWith('floors'))) {
      const listed = imports === '' ? [] : imports.split(', ');
      assert.deepEqual(sorted(listed), sorted(floorPlan[name]?.packages ?? []), name);
    }
  });

  it('gives every library one home', () => {
    const libraries = Object.values(floorPlan).flatMap(({ libraries }) => libraries);
    assert.deepEqual(sorted(new Set(libraries)), sorted(libraries));
  });

  for (const [name, { packages, libraries }] of Object.entries(floorPlan)) {
    const own = ['errors', ...packages].filter((each) => each !== name).map((each) => `@flotilla/${each}`);

    it(`${name} imports only what its row allows`, () => {
      const strays = (sources.get(name) ?? []).flatMap(importsOf).filter(({ path, target }) => {
        if (target.startsWith('./') || target.startsWith('../') || isBuiltin(target)) return false;
        const isTest = /\.(test|contract)\.ts$/.test(path) || path.endsWith('-harness.ts');
        const allowed = [...own, ...libraries, ...(isTest ? testLibraries : [])];
        return !allowed.includes(libraryOf(target));
      });
      assert.deepEqual(shown(strays), []);
    });

    it(`${name} declares only what its row allows, and refers to it`, () => {
      const { dependencies = {} } = read<{ dependencies?: Record<string, string> }>(`packages/${name}/package.json`);
      const strays = Object.keys(dependencies).filter((each) => ![...own, ...libraries].includes(each));
      assert.deepEqual(strays, []);
      const { references = [] } = read<{ references?: { path: string }[] }>(`packages/${name}/tsconfig.json`);
      const declared = Object.keys(dependencies).filter((each) => each.startsWith('@flotilla/'));
      assert.deepEqual(
        sorted(references.map(({ path }) => `@flotilla/${basename(path)}`)),
        sorted(declared),
        'references in tsconfig.json against dependencies in package.json',
      );
    });

    it(`${name} declares what it imports`, () => {
      const { dependencies = {} } = read<{ dependencies?: Record<string, string> }>(`packages/${name}/package.json`);
      const imports = (sources.get(name) ?? []).flatMap(importsOf);
      const undeclared = imports.filter(({ target }) => {
        if (target.startsWith('.') || isBuiltin(target) || testLibraries.includes(libraryOf(target))) return false;
        return !Object.hasOwn(dependencies, libraryOf(target));
      });
      assert.deepEqual(shown(undeclared), []);
    });
  }

  it('lets no package reach into the inside of another', () => {
    const deep = [...allSources, ...testSources].flatMap(importsOf).filter(({ target }) => {
      return /^@flotilla\/[^/]+\/(?!contract$)/.test(target) || /\/(src|dist)\//.test(target);
    });
    assert.deepEqual(shown(deep), []);
  });

  it('keeps every package file with the workspaces', () => {
    const { references } = read<{ references: { path: string }[] }>('tsconfig.json');
    const expected = [...packageNames.map((name) => `packages/${name}`), 'test'];
    assert.deepEqual(sorted(references.map(({ path }) => path)), sorted(expected));
  });
});

describe('the house style', () => {
  const everything = [...allSources, ...testSources];

  it('takes time and chance from the clock alone', () => {
    const wild = /\b(?:Date\.now|performance\.now|Math\.random|setTimeout|setInterval|new Date\(\)|timers\/promises)/;
    const elsewhere = everything.filter(
      ({ path }) => !path.startsWith(homeOfTime) && path !== 'test/floor-plan.test.ts',
    );
    const lines = elsewhere.flatMap(({ path, text }) => {
      return text
        .split('\n')
        .flatMap((line, index) => (wild.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []));
    });
    assert.deepEqual(lines, []);
  });

  it('keeps files short enough for one sitting', () => {
    const long = everything.filter(({ path, text }) => {
      const isTest = path.startsWith('test/') || /\.(test|contract)\.ts$/.test(path);
      return text.split('\n').length > (isTest ? longestTest : longestFile);
    });
    assert.deepEqual(
      long.map(({ path }) => path),
      [],
    );
  });

  it('names files for what is in them', () => {
    // The two that every package meets at hold nothing but that package's words.
    const known = ['packages/unit/src/types.ts', 'packages/cluster/src/types.ts'];
    const vague = everything.filter(({ path }) => {
      const stem = basename(path).replace(/\..*$/, '');
      return !known.includes(path) && (bannedWords.includes(stem) || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(stem));
    });
    assert.deepEqual(
      vague.map(({ path }) => path),
      [],
    );
  });

  it('has nothing at the top but what belongs there', () => {
    const expected = ['README.md', 'package-lock.json', 'package.json', 'packages', 'test', 'tsconfig.json'];
    const made = ['node_modules', 'dist', 'units-examples'];
    const found = readdirSync(root).filter((entry) => !entry.startsWith('.') && !entry.endsWith('.tsbuildinfo'));
    const strays = found.filter((entry) => ![...expected, ...made].includes(entry));
    assert.deepEqual(strays, []);
  });

  it('reads neither the environment nor the arguments below the programs', () => {
    const programs = /^packages\/(fleetd|fleetctl)\//;
    const readers = allSources.filter(({ path, text }) => !programs.test(path) && /\bprocess\.(env|argv)\b/.test(text));
    assert.deepEqual(
      readers.map(({ path }) => path),
      [],
    );
  });
});
