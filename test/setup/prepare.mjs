// Gets a fresh clone ready: npm packages from the lock file, Debian packages, compiler, single files.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runShown } from './command.mjs';
import { installMissingPackages } from './debian.mjs';
import { root } from './paths.mjs';

/** Something that the user has to see to; its message says all there is to say. */
export class SetupError extends Error {}

/**
 * Installs what is missing and says what and why.
 *
 * @returns Why some Debian packages are missing, or undefined if none is.
 */
export function prepare() {
  installNpmPackages();
  return installMissingPackages();
}

/** Installs the npm packages of the lock file, unless they are here. */
export function installNpmPackages() {
  if (hasLockedPackages()) return;
  console.log('installing the npm packages of package-lock.json: compiler, linters and libraries');
  if (!runShown('npm', ['ci', '--no-audit', '--no-fund'])) throw new SetupError('npm ci failed');
}

/** Compiles everything and makes dist/fleetd and dist/fleetctl. */
export function build() {
  console.log('building');
  const compiler = join(root, 'node_modules/ts7/bin/tsc');
  if (!runShown(process.execPath, [compiler, '-b'])) throw new SetupError('the code does not compile');
  if (!runShown(process.execPath, [join(root, 'test/setup/bundle.mjs')])) {
    throw new SetupError('dist/fleetd and dist/fleetctl could not be made');
  }
}

/** True if node_modules holds the very versions of the lock file (npm keeps its own account in there). */
function hasLockedPackages() {
  const accountPath = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(accountPath)) return false;
  const installed = JSON.parse(readFileSync(accountPath, 'utf8')).packages;
  const locked = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(locked).every(([path, { version, optional, link, resolved }]) => {
    if (!path.startsWith('node_modules/') || optional) return true;
    if (link) return installed[path]?.link === true && installed[path].resolved === resolved;
    return installed[path]?.version === version;
  });
}
