// What is tested, in which order, and what a machine must have for it.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isInstalled } from './command.mjs';
import { root } from './paths.mjs';

const seconds = 1_000;

/**
 * Each tier: `sources()` gives its test files in TypeScript, relative to the repository; `obstacle()` says why this
 * machine can't run it, if so. Timeouts are per file, for a run on two busy cores.
 */
export const testTiers = [
  { name: 'unit', sources: () => packageTests(), concurrency: 2, timeoutMs: 240 * seconds },
  { name: 'house', sources: () => testsIn('test', 'flat'), concurrency: 2, timeoutMs: 120 * seconds },
  {
    name: 'etcd',
    sources: () => testsIn('test/etcd'),
    obstacle: () => (isInstalled('etcd') ? undefined : 'the program etcd is not installed'),
    concurrency: 2,
    timeoutMs: 300 * seconds,
  },
  {
    name: 'cluster',
    sources: () => [...testsIn('test/lab'), ...testsIn('test/cluster'), ...testsIn('test/chaos')],
    obstacle: async () => (await import(join(root, 'test/dist/lab/requirements.js'))).labObstacle() || undefined,
    concurrency: 2,
    timeoutMs: 420 * seconds,
  },
];

export const tierNames = ['lint', ...testTiers.map(({ name }) => name)];

/** The compiled file of a test; files of tests that no longer exist stay out that way. */
export function compiled(source) {
  const inPackage = source.replace(/^(packages\/[^/]+)\/src\//, '$1/dist/');
  return join(root, inPackage.replace(/^test\//, 'test/dist/').replace(/\.ts$/, '.js'));
}

function packageTests() {
  const packages = readdirSync(join(root, 'packages'), { withFileTypes: true });
  return packages.filter((each) => each.isDirectory()).flatMap(({ name }) => testsIn(`packages/${name}/src`));
}

function testsIn(directory, depth = 'deep') {
  const path = join(root, directory);
  if (!existsSync(path)) return [];
  const entries = readdirSync(path, { recursive: depth === 'deep' });
  const tests = entries.filter((entry) => entry.endsWith('.test.ts') && !entry.includes('node_modules'));
  return tests.sort().map((entry) => `${directory}/${entry}`);
}
