import { stat } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from './errors.js';
import type { OptionName, OptionValue, OptionValues } from './options.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** The user that a process runs as. */
export interface Account {
  readonly uid: number;
  readonly name: string;
  /** Home directory. */
  readonly home: string;
}

/** Where a user's fleetd keeps its things. @see file-hierarchy(7), XDG Base Directory Specification */
export interface UserPlaces {
  /** Of all programs. */
  readonly configHome: string;
  readonly configFile: string;
  /** Unit files in here are the cluster's units. */
  readonly unitDirectory: string;
  readonly stateDirectory: string;
  /** Of all programs; gone with the user's last session, unless the user lingers. */
  readonly runtimeDirectory: string;
}

export function readAccount(): Account {
  const uid = process.getuid?.() ?? 0;
  return { uid, name: nameOf(uid), home: homedir() };
}

function nameOf(uid: number): string {
  try {
    return userInfo().username;
  } catch {
    // Containers run programs as users that no file names.
    return String(uid);
  }
}

/**
 * The places for a user, by the environment or by the specification's defaults.
 *
 * @throws ConfigError if there is no XDG_RUNTIME_DIR: then there is no user manager within reach either.
 */
export async function findUserPlaces(environment: Environment, account: Account): Promise<UserPlaces> {
  const { home } = account;
  const runtime = environment.XDG_RUNTIME_DIR ?? '';
  if (!runtime.startsWith('/')) throw new ConfigError('--user: XDG_RUNTIME_DIR is not set', sessionHint(account));
  // sudo and su may hand on another user's.
  const owner = (await stat(runtime).catch(() => undefined))?.uid;
  if (owner === undefined)
    throw new ConfigError(`--user: there is no XDG_RUNTIME_DIR ${runtime}`, sessionHint(account));
  if (owner !== account.uid)
    throw new ConfigError(`--user: XDG_RUNTIME_DIR ${runtime} is not ${account.name}'s own`, sessionHint(account));
  const configHome = findBase(environment.XDG_CONFIG_HOME) ?? join(home, '.config');
  return {
    configHome,
    configFile: join(configHome, 'fleet/fleet.conf'),
    unitDirectory: join(configHome, 'fleet/units'),
    runtimeDirectory: runtime,
    stateDirectory: join(findBase(environment.XDG_STATE_HOME) ?? join(home, '.local/state'), 'fleet'),
  };
}

/** The specification has relative paths ignored. */
function findBase(path: string | undefined): string | undefined {
  return path?.startsWith('/') ? path : undefined;
}

function sessionHint({ uid, name }: Account): string {
  if (uid === 0) return "root's own fleetd runs without --user; for another user, log in as that user";
  const byHand = `loginctl enable-linger ${name}; export XDG_RUNTIME_DIR=/run/user/${uid}`;
  return `log in as ${name} (not by su or sudo), or: ${byHand}`;
}

/** What differs from root's defaults for a user. `given` are the sources that win over it. */
export function userDefaults(places: UserPlaces, account: Account, given: readonly OptionValues[]): OptionValues {
  const ownState = given
    .find((values) => values.has('state_directory'))
    ?.get('state_directory')
    ?.text.trim();
  const stateDirectory = ownState || places.stateDirectory;
  const value = (text: string): OptionValue => ({ text, source: '--user' });
  return new Map<OptionName, OptionValue>([
    ['systemd_user', value('true')],
    ['state_directory', value(stateDirectory)],
    // With a state directory that was moved off a home which many hosts share: units are one host's as well.
    ['units_directory', value(join(stateDirectory, 'units'))],
    ['unit_dirs', value(`local:${places.unitDirectory}`)],
    // A cluster of root's would have its units run as this user.
    ['etcd_key_prefix', value(`/_coreos.com/fleet-user/${encodeURIComponent(account.name)}/`)],
  ]);
}
