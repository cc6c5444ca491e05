// npm run package: builds, and makes the Debian packages of fleetd and fleetctl in dist/.
import './node-version.mjs';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isInstalled } from './command.mjs';
import { writeDeb } from './deb.mjs';
import { fleetDebs } from './fleet-debs.mjs';
import { root } from './paths.mjs';
import { build, installNpmPackages, SetupError } from './prepare.mjs';

const { values: options } = parseArgs({
  options: {
    // For tests: packages of what is built already, under another version, elsewhere.
    built: { type: 'boolean', default: false },
    version: { type: 'string' },
    output: { type: 'string', default: join(root, 'dist') },
  },
});

try {
  if (!isInstalled('dpkg-deb'))
    throw new SetupError('a .deb is made with dpkg-deb, of the package dpkg; it is not here');
  if (!options.built) {
    installNpmPackages();
    build();
  }
  mkdirSync(options.output, { recursive: true });
  const version =
    options.version ?? debianVersion(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version);
  const debs = await fleetDebs({ version, epochSeconds: sourceEpochSeconds() });
  for (const [name, deb] of Object.entries(debs)) {
    const path = resolve(options.output, `${name}_${version}_all.deb`);
    writeDeb({ ...deb, path });
    console.log(`${relative(process.cwd(), path)}  ${Math.ceil(statSync(path).size / 1024)} KiB`);
  }
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exit(1);
}

/** A pre-release sorts before its release: 1.0.0-rc.1 is 1.0.0~rc.1 to dpkg. */
function debianVersion(version) {
  return version.replace('-', '~');
}

/** The time that stands in the packages: of the commit, so that everybody makes the same bytes of it. */
function sourceEpochSeconds() {
  if (process.env.SOURCE_DATE_EPOCH) return Number(process.env.SOURCE_DATE_EPOCH);
  const { status, stdout } = spawnSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' });
  if (status === 0) return Number(stdout);
  return Math.floor(statSync(join(root, 'package.json')).mtimeMs / 1000);
}
