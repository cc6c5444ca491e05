import { compileConfig } from './compile-config.js';
import type { Config } from './config.js';
import { parseConfigFile } from './config-file.js';
import { readEnvironment } from './environment.js';
import { ConfigError } from './errors.js';
import type { GivenOptions } from './options.js';
import { readShortFile } from './read-short-file.js';
import { type Account, findUserPlaces, userDefaults } from './user-places.js';

const systemConfigFile = '/etc/fleet/fleet.conf';

export interface LoadedConfig {
  readonly config: Config;
  /** Where the file is, or would be. */
  readonly file: string;
  readonly hasFile: boolean;
  /** Said in the log, as it is only there once the configuration is read. */
  readonly notes: readonly { readonly level: 'info' | 'warn'; readonly message: string }[];
}

export interface ConfigSources {
  /** The file that the command line names, if any. */
  readonly configFile: string | undefined;
  /** The default file, too, has to be there. @default false */
  readonly isFileRequired?: boolean;
  /** Whether `--user` was given. */
  readonly isUser: boolean;
  readonly account: Account;
  readonly flags: GivenOptions;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Reads all sources of configuration. @throws ConfigError saying where the mistake is */
export async function loadConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const { configFile, isFileRequired = false, isUser, account, ...more } = sources;
  const places = isUser ? await findUserPlaces(more.environment, account) : undefined;
  const source = configFile ?? places?.configFile ?? systemConfigFile;
  const text = await readConfigFile(source, isFileRequired || configFile !== undefined);
  const file = parseConfigFile(text ?? '', source);
  const all = [more.flags, readEnvironment(more.environment), file];
  const given = all.map(({ values }) => values);
  const config = compileConfig(given, places && userDefaults(places, account, given));
  requireRights(config, account);
  const found =
    configFile === undefined ? `Using default config file ${source}` : `Using provided config file ${source}`;
  const message = text === undefined ? 'No provided or default config file found - proceeding without' : found;
  return {
    config,
    file: source,
    hasFile: text !== undefined,
    notes: [
      { level: 'info', message },
      ...all.flatMap(({ warnings }) => warnings).map((warning) => ({ level: 'warn', message: warning }) as const),
    ],
  };
}

/** Reads them again. A file that was there and is not may be just being written anew: that is no wish for all defaults. */
export function createReload(sources: ConfigSources, { hasFile }: LoadedConfig): () => Promise<LoadedConfig> {
  let isFileRequired = hasFile;
  return async () => {
    const loaded = await loadConfig({ ...sources, isFileRequired });
    isFileRequired = loaded.hasFile;
    return loaded;
  };
}

/** Told at the start, rather than by the first unit that can't be started. */
function requireRights({ hasAgent, isUserManager }: Config, { uid, name }: Account): void {
  if (uid === 0 || !hasAgent || isUserManager) return;
  throw new ConfigError(
    `fleetd drives the machine's systemd, which ${name} may not`,
    'run it as root, or, for units of your own (systemctl --user), run fleetd --user',
  );
}

/** The file's text; `undefined` if it is not there and need not be. */
async function readConfigFile(path: string, isRequired: boolean): Promise<string | undefined> {
  try {
    return (await readShortFile(path)).toString('utf8');
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(`Provided config ${error.message}`);
    if (!isRequired && error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new ConfigError(
      `Unable to use config file ${path}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
