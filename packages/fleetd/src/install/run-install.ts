import { lstat, readdir, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { version } from '@flotilla/errors';
import { compileConfig } from '../compile-config.js';
import { parseConfigFile } from '../config-file.js';
import { InstallError } from '../errors.js';
import { findUserPlaces, readAccount, userDefaults } from '../user-places.js';
import { hasServiceNode, isNodeNewEnough } from './find-node.js';
import type { InstallRequest } from './install-flags.js';
import { hostPlaces, type Places, packagePlaces, placesOfUser, systemctl } from './places.js';
import { type FoundFile, installedPaths, planInstall } from './plan-install.js';
import { planRemoval, planStop, uninstallPaths } from './plan-uninstall.js';
import { sampleConfig } from './sample-config.js';
import { carryOut, describeStep, type Step } from './steps.js';
import { fleetGroup } from './unit-files.js';

/** Whom fleetd is installed for: a host, or a user of it. */
interface Target {
  readonly places: Places;
  readonly sample: string;
}

/**
 * Installs fleetd on this host, or removes it. Each thing done is a line for `say`.
 *
 * @throws InstallError if this host, or the file that is running, does not allow it.
 * @throws ConfigError if the configuration file can't be used, or a user has no session; nothing has been changed then.
 */
export async function runInstall(request: InstallRequest, say: (line: string) => void): Promise<void> {
  const target = request.isUser ? await findUserTarget() : { places: hostPlaces, sample: sampleConfig() };
  const { places } = target;
  await requireHost(request);
  const act = async (steps: readonly Step[]) => {
    for (const step of steps) {
      say(describeStep(step));
      if (!request.isDryRun) await carryOut(step);
    }
    return steps;
  };
  const done = request.isUninstall
    ? await uninstall(request, places, act)
    : await act(await findInstallSteps(request, target));
  say(request.isDryRun ? 'Nothing of this was done.' : conclusion(request, places, done));
  if (request.isUser && !request.isUninstall) await sayWhetherLingering(say);
}

async function findUserTarget(): Promise<Target> {
  const account = readAccount();
  const user = await findUserPlaces(process.env, account);
  return { places: placesOfUser(user, account), sample: sampleConfig(userDefaults(user, account, [])) };
}

function conclusion({ isUninstall, isStarting }: InstallRequest, places: Places, steps: readonly Step[]): string {
  const hasChanged = steps.some(({ kind }) => kind !== 'keep');
  if (isUninstall) return hasChanged ? 'fleetd is removed from this host.' : 'There was nothing to remove.';
  if (isStarting) return `fleetd ${version} runs.`;
  const restart = systemctl(places, 'restart', 'fleet').join(' ');
  return `fleetd ${version} is installed. Once ${places.configFile} is as you want it: ${restart}`;
}

async function sayWhetherLingering(say: (line: string) => void): Promise<void> {
  const { name } = readAccount();
  if (await exists(join('/var/lib/systemd/linger', name))) return;
  say(`fleetd and its units end with your last session here; to have them stay: loginctl enable-linger ${name}`);
}

async function requireHost({ isUser }: InstallRequest): Promise<void> {
  if (!isUser && process.getuid?.() !== 0)
    throw new InstallError(
      'install needs root',
      'run it with sudo, say, or, for yourself alone, fleetd install --user',
    );
  if (!(await exists('/run/systemd/system'))) throw new InstallError('this host does not run systemd');
}

async function findInstallSteps({ isUser, isStarting }: InstallRequest, { places, sample }: Target): Promise<Step[]> {
  if (!isUser) await refusePackaged('bring the newer fleetd as a package too, or remove the package first');
  const programs = await readPrograms();
  const found = new Map<string, FoundFile>();
  for (const path of [...installedPaths(places), places.configFile]) {
    const file = await findFile(path);
    if (file !== undefined) found.set(path, file);
  }
  const config = found.get(places.configFile);
  // A fleetd that runs is not to be stopped for one that can't start.
  if (config !== undefined) compileConfig([parseConfigFile(config.content.toString(), places.configFile).values]);
  if (!isNodeNewEnough(process.version)) throw new InstallError(`fleetd needs Node 20; this is ${process.version}`);
  const node = (await hasServiceNode()) ? undefined : process.execPath;
  const hasUnitDirectory = await exists(places.unitDirectory);
  return planInstall({ places, programs, node, sample, found, hasUnitDirectory, isStarting });
}

type Act = (steps: readonly Step[]) => Promise<readonly Step[]>;

async function uninstall({ isUser, isPurging, isDryRun }: InstallRequest, places: Places, act: Act): Promise<Step[]> {
  const present = new Set<string>();
  for (const path of uninstallPaths(places)) if (await exists(path)) present.add(path);
  const isInstalled = installedPaths(places).some((path) => present.has(path));
  if (!isUser && !isInstalled) await refusePackaged('remove it with apt or dpkg');
  const stopped = await act(planStop(places, present));
  const groups = (await findFile('/etc/group'))?.content.toString() ?? '';
  const hasGroup = !isUser && groups.includes(`\n${fleetGroup}:`);
  const strays = isDryRun ? [] : await findStrays(places);
  const hasUnitFiles = ((await readdir(places.unitDirectory).catch(ignoreMissing)) ?? []).length > 0;
  return [...stopped, ...(await act(planRemoval({ places, present, isPurging, hasUnitFiles, strays, hasGroup })))];
}

/** The cluster's units that systemd still has. */
async function findStrays(places: Places): Promise<string[]> {
  const strays: string[] = [];
  for (const entry of (await readdir(places.runtimeUnits, { withFileTypes: true }).catch(ignoreMissing)) ?? []) {
    if (!entry.isSymbolicLink()) continue;
    const target = await readlink(join(places.runtimeUnits, entry.name));
    if (target.startsWith(`${places.stateDirectory}/`)) strays.push(entry.name);
  }
  return strays;
}

/** What a package has placed is its package manager's to change. */
async function refusePackaged(hint: string): Promise<void> {
  const program = join(packagePlaces.programs, 'fleetd');
  if (await exists(program)) throw new InstallError(`a package has installed ${program}`, hint);
}

/** This fleetd, and the fleetctl that lies beside it, if one does. */
async function readPrograms(): Promise<Map<string, Buffer>> {
  const own = fileURLToPath(import.meta.url);
  // Bundled, this module and the program are one file.
  if (own !== (await realpath(process.argv[1] ?? own))) {
    throw new InstallError('only the single file fleetd can install itself', 'npm run build makes it: dist/fleetd');
  }
  const programs = new Map<string, Buffer>([['fleetd', await readFile(own)]]);
  const fleetctl = await findFile(join(dirname(own), 'fleetctl'));
  if (fleetctl !== undefined) programs.set('fleetctl', fleetctl.content);
  return programs;
}

async function findFile(path: string): Promise<FoundFile | undefined> {
  try {
    return { content: await readFile(path), mode: (await stat(path)).mode & 0o7777 };
  } catch (error) {
    return ignoreMissing(error);
  }
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(ignoreMissing)) !== undefined;
}

function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
