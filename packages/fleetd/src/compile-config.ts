import type { WatchedDirectory } from '@flotilla/directories';
import type { Config } from './config.js';
import { ConfigError } from './errors.js';
import { expectedAddress, formatAddress, isLoopback, type ListenAddress, parseListen } from './listen-addresses.js';
import { type OptionKind, type OptionName, type OptionValue, type OptionValues, options } from './options.js';
import { parseUnitDirs } from './parse-unit-dirs.js';
import {
  countRange,
  expectedServers,
  parseBoolean,
  parseChoice,
  parseCount,
  parseDirectory,
  parseDuration,
  parseHost,
  parseKeyPrefix,
  parseMetadata,
  parsePath,
  parseSeconds,
  parseServers,
  withoutPassword,
} from './parse-values.js';

/** The leader's lease lasts this many intervals (fleet's rule). */
const leaderTtlIntervals = 5;

/** Who sets one of these has an etcd somewhere. */
const whereEtcdIs = [
  'etcd_servers',
  'etcd_username',
  'etcd_password',
  'etcd_keyfile',
  'etcd_certfile',
  'etcd_cafile',
] as const satisfies readonly OptionName[];

/** What reads one option each, from the first source that has it. */
function readersOf(sources: readonly OptionValues[], defaults: OptionValues) {
  const given = (name: OptionName): OptionValue => {
    const value = sources.find((values) => values.has(name))?.get(name);
    const fallback = defaults.get(name) ?? { text: options[name].fallback, source: 'default' };
    // Set to nothing is back to the default: there is no number or path that nothing could mean.
    return value === undefined || (value.text.trim() === '' && fallback.text !== '') ? fallback : value;
  };
  const text = (name: OptionName) => given(name).text.trim();
  const read = <T>(
    name: OptionName,
    parse: (text: string, reads: OptionKind) => T | undefined,
    expected: string,
  ): T => {
    const value = given(name);
    const parsed = parse(value.text.trim(), options[name].reads);
    if (parsed !== undefined) return parsed;
    throw new ConfigError(`${value.source}: ${name} is "${withoutPassword(value.text)}", but must be ${expected}`);
  };
  return {
    given,
    text,
    read,
    flag: (name: OptionName) => read(name, parseBoolean, 'true or false'),
    seconds: (name: OptionName) => read(name, parseSeconds, 'a number of seconds from above 0 to 86400, like 2.5'),
    duration: (name: OptionName) => read(name, parseDuration, 'a duration from above 0 to 500h, like 30s or 1m30s'),
    count: (name: OptionName) => read(name, parseCount, countRange(options[name].reads)),
    path: (name: OptionName) => read(name, parsePath, 'a path that begins with a slash'),
    directory: (name: OptionName) =>
      read(name, parseDirectory, 'a path that begins with a slash, and not below /proc or /sys'),
  };
}

/**
 * Makes the configuration of what was given, the most important source first (flags, environment, file).
 *
 * @param defaults Those that differ from the options' own.
 * @throws ConfigError naming the source of a value that can't be read.
 */
export function compileConfig(sources: readonly OptionValues[], defaults: OptionValues = new Map()): Config {
  const { given, text, read, flag, seconds, duration, count, path, directory } = readersOf(sources, defaults);
  requireTogether(given('etcd_certfile'), given('etcd_keyfile'));
  const insecureListen = read('insecure_listen', parseListen, expectedAddress);
  const listen = read('listen', parseListen, expectedAddress);
  requireProtected(listen, insecureListen, given('listen').source);
  const unitsDirectory = directory('units_directory');
  return Object.freeze({
    logLevel: count('verbosity') > 0 ? 'debug' : 'info',
    etcd: {
      servers: read('etcd_servers', parseServers, expectedServers(text('etcd_servers'))),
      username: text('etcd_username'),
      password: given('etcd_password').text,
      keyFile: path('etcd_keyfile'),
      certFile: path('etcd_certfile'),
      caFile: path('etcd_cafile'),
      keyPrefix: read('etcd_key_prefix', parseKeyPrefix, 'a path'),
      requestTimeoutMs: seconds('etcd_request_timeout') * 1000,
      isTold: whereEtcdIs.some((name) => given(name).source !== 'default' && text(name) !== ''),
    },
    embeddedEtcd: read('embedded_etcd', parseChoice(options.embedded_etcd.reads.choices), 'auto or never'),
    leaderTtlSeconds: Math.ceil(seconds('engine_reconcile_interval') * leaderTtlIntervals),
    publicIp: read('public_ip', parseHost, 'an address'),
    metadata: read('metadata', parseMetadata, 'key=value pairs, separated by commas'),
    maxUnits: count('max_units') || undefined,
    agentTtlSeconds: Math.ceil(duration('agent_ttl') / 1000),
    lossGraceMs: text('loss_grace') === '' ? undefined : duration('loss_grace'),
    listen: [...listen.filter((address) => !isAmong(address, insecureListen)), ...insecureListen],
    tokenLimit: count('token_limit'),
    unitDirectories: readUnitDirs(given('unit_dirs'), unitsDirectory),
    unitsDirectory,
    stateDirectory: directory('state_directory'),
    isUserManager: flag('systemd_user'),
    hasEngine: !flag('disable_engine'),
    hasAgent: !flag('disable_agent'),
    onStop: read('on_stop', parseChoice(options.on_stop.reads.choices), 'auto, leave or stay'),
    leaveTimeoutMs: duration('leave_timeout'),
  } satisfies Config);
}

function readUnitDirs({ text, source }: OptionValue, unitsDirectory: string): WatchedDirectory[] {
  const directories = parseUnitDirs(text.trim(), unitsDirectory);
  if (typeof directories !== 'string') return directories;
  throw new ConfigError(`${source}: unit_dirs is "${text}", ${directories}`);
}

function requireTogether(certificate: OptionValue, key: OptionValue): void {
  if ((certificate.text === '') === (key.text === '')) return;
  const { source } = certificate.text === '' ? key : certificate;
  throw new ConfigError(`${source}: etcd_certfile and etcd_keyfile go together, but only one of them is set`);
}

/** Who reaches the API is root on every host: that other hosts do is not to happen by a slip. */
function requireProtected(listen: readonly ListenAddress[], allowed: readonly ListenAddress[], source: string): void {
  for (const address of listen) {
    if (address.kind === 'unix' || isLoopback(address.host) || isAmong(address, allowed)) continue;
    const where = formatAddress(address);
    throw new ConfigError(
      `${source}: listen is ${where}, which other hosts reach, and there is no protection for that yet: whoever does would be root on every host of the cluster`,
      `take a unix socket or 127.0.0.1 and reach it through SSH; if the network itself keeps others out, insecure_listen = ${where}`,
    );
  }
}

function isAmong(address: ListenAddress, others: readonly ListenAddress[]): boolean {
  return others.some((other) => formatAddress(other) === formatAddress(address));
}
