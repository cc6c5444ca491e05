// What is tested, in which order, and what a machine must have for it.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isInstalled } from './command.mjs';
import { root } from './paths.mjs';

const seconds = 1_000;

/** What takes longest begins first, lest it runs on alone at the end: files that take more than a minute by themselves. */
const longest = [
  'test/etcd/three-members.test.ts',
  'test/etcd/wrong-credentials.test.ts',
  'test/cluster/deb.test.ts',
  'test/cluster/fleet-client.test.ts',
  'test/chaos/chaos.test.ts',
  'test/cluster/stop.test.ts',
  'test/cluster/units.test.ts',
  'test/cluster/user.test.ts',
  'test/cluster/unfreeze.test.ts',
];

/**
 * Each tier: `sources()` gives its test files in TypeScript, relative to the repository, in the order of their starts;
 * `obstacle()` says why this machine can't run it, if so. Timeouts are per file, for a run on two busy cores. Tests of
 * etcd and of hosts wait for most of their time, and so run one more at a time than there are cores.
 */
export const testTiers = [
  { name: 'unit', sources: () => packageTests(), concurrency: 2, timeoutMs: 240 * seconds },
  { name: 'house', sources: () => testsIn('test', 'flat'), concurrency: 2, timeoutMs: 120 * seconds },
  {
    name: 'etcd',
    sources: () => inOrder(testsIn('test/etcd')),
    obstacle: () => (isInstalled('etcd') ? undefined : 'the program etcd is not installed'),
    concurrency: 3,
    timeoutMs: 300 * seconds,
  },
  {
    name: 'cluster',
    sources: () => inOrder([...testsIn('test/lab'), ...testsIn('test/cluster'), ...testsIn('test/chaos')]),
    obstacle: async () => (await import(join(root, 'test/dist/lab/requirements.js'))).labObstacle() || undefined,
    concurrency: 3,
    timeoutMs: 420 * seconds,
  },
];

export const tierNames = ['lint', ...testTiers.map(({ name }) => name)];

/** The compiled file of a test; files of tests that no longer exist stay out that way. */
export function compiled(source) {
  const inPackage = source.replace(/^(packages\/[^/]+)\/src\//, '$1/dist/');
  return join(root, inPackage.replace(/^test\//, 'test/dist/').replace(/\.ts$/, '.js'));
}

function inOrder(sources) {
  const first = longest.filter((source) => sources.includes(source));
  return [...first, ...sources.filter((source) => !first.includes(source))];
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
