import { readFile } from 'node:fs/promises';
import { compileConfig } from './compile-config.js';
import type { Config } from './config.js';
import { parseConfigFile } from './config-file.js';
import { ConfigError } from './errors.js';
import { environmentValues } from './flags.js';
import type { OptionValues } from './options.js';

const defaultConfigFile = '/etc/fleet/fleet.conf';

export interface LoadedConfig {
  readonly config: Config;
  /** Said in the log, as it is only there once the configuration is read. */
  readonly notes: readonly { readonly level: 'info' | 'warn'; readonly message: string }[];
}

export interface ConfigSources {
  /** The file that the command line names, if any. */
  readonly configFile: string | undefined;
  readonly flags: OptionValues;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Reads all sources of configuration. @throws ConfigError saying where the mistake is */
export async function loadConfig({ configFile, flags, environment }: ConfigSources): Promise<LoadedConfig> {
  const text = await readConfigFile(configFile);
  const source = configFile ?? defaultConfigFile;
  const file = parseConfigFile(text ?? '', source);
  const found =
    configFile === undefined ? `Using default config file ${source}` : `Using provided config file ${source}`;
  const message = text === undefined ? 'No provided or default config file found - proceeding without' : found;
  return {
    config: compileConfig([flags, environmentValues(environment), file.values]),
    notes: [
      { level: 'info', message },
      ...file.warnings.map((warning) => ({ level: 'warn', message: warning }) as const),
    ],
  };
}

/** The file's text; `undefined` if nobody named one and the default is not there. */
async function readConfigFile(named: string | undefined): Promise<string | undefined> {
  try {
    return await readFile(named ?? defaultConfigFile, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (named === undefined && code === 'ENOENT') return undefined;
    const path = named ?? defaultConfigFile;
    if (code === 'EISDIR') throw new ConfigError(`Provided config ${path} is a directory, not a file`);
    throw new ConfigError(
      `Unable to use config file ${path}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
