// npm test: gets ready, builds, lints, runs every tier that this machine allows, and counts.
import './node-version.mjs';
import { setMaxListeners } from 'node:events';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import util from 'node:util';
import { runShown } from './command.mjs';
import { root } from './paths.mjs';
import { build, prepare, SetupError } from './prepare.mjs';
import { compiled, testTiers, tierNames } from './tiers.mjs';

// node:test came with Node 18: an older one has to get as far as being told so.
const { Results, runTestFiles } = await import('./results.mjs');

const usage = `usage: npm test -- [--long] [--tier NAME]...   (tiers: ${tierNames.join(', ')})`;
const exitCodes = { interrupted: 130, usage: 64 };

const results = new Results();
const interrupted = new AbortController();
// Every test file that runs listens.
setMaxListeners(0, interrupted.signal);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => interrupted.abort());

const options = readOptions();
try {
  const missing = prepare();
  if (missing !== undefined) console.log(missing);
  build();
  for (const name of options.tiers) if (!interrupted.signal.aborted) await runTier(name);
} catch (error) {
  results.fail('setup', error instanceof SetupError ? error.message : error.stack);
} finally {
  await removeLeftovers();
}
if (interrupted.signal.aborted) results.fail('all', 'interrupted');
results.print();
process.exit(interrupted.signal.aborted ? exitCodes.interrupted : results.isGood ? 0 : 1);

function readOptions() {
  try {
    const { values } = util.parseArgs({
      options: { long: { type: 'boolean', default: false }, tier: { type: 'string', multiple: true } },
    });
    const unknown = values.tier?.find((name) => !tierNames.includes(name));
    if (unknown !== undefined) throw new Error(`there is no tier "${unknown}"`);
    return { isLong: values.long, tiers: values.tier ?? tierNames };
  } catch (error) {
    console.error(`${error.message}\n${usage}`);
    process.exit(exitCodes.usage);
  }
}

async function runTier(name) {
  console.log(`tier ${name}`);
  if (name === 'lint') return lint();
  const tier = testTiers.find((each) => each.name === name);
  const sources = tier.sources();
  const obstacle = await tier.obstacle?.();
  if (obstacle !== undefined) {
    console.log(`  skipped: ${obstacle}`);
    for (const source of sources) results.skip(source, obstacle);
    return;
  }
  if (sources.length === 0) return console.log('  no test files');
  const settings = pathToFileURL(join(root, 'test/setup/property-runs.mjs')).href;
  process.env.NODE_OPTIONS = `--import=${settings}`;
  process.env.FLOTILLA_TEST_LENGTH = options.isLong ? 'long' : 'short';
  const { concurrency } = tier;
  const timeoutMs = tier.timeoutMs * (options.isLong ? 10 : 1);
  const files = sources.map(compiled);
  const durations = await runTestFiles({ files, concurrency, timeoutMs, signal: interrupted.signal, results });
  delete process.env.NODE_OPTIONS;
  const longest = durations.slice(0, 5).map(([file, ms]) => `${basename(file, '.test.js')} ${Math.round(ms / 1000)} s`);
  console.log(`  so far ${results.counts}, ${Math.round(process.uptime())} s; the longest: ${longest.join(', ')}`);
}

function lint() {
  const node = process.execPath;
  const plain = process.stdout.isTTY ? [] : ['--colors=off'];
  const biome = [
    join(root, 'node_modules/@biomejs/biome/bin/biome'),
    'ci',
    '--error-on-warnings',
    '--diagnostic-level=warn',
    ...plain,
    '.',
  ];
  const eslint = [join(root, 'node_modules/eslint/bin/eslint.js'), '--config', '.config/eslint.config.mjs', '.'];
  for (const [name, args] of Object.entries({ biome, eslint })) {
    if (runShown(node, args)) results.pass();
    else results.fail(name, 'see above');
  }
}

/** Hosts of tests that were killed or ran out of time. */
async function removeLeftovers() {
  const lab = await import(join(root, 'test/dist/lab/index.js')).catch(() => undefined);
  await lab?.removeAbandonedLabs();
}
