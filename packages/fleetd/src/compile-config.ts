import { parseDurationMs } from '@flotilla/cluster';
import type { Config } from './config.js';
import { ConfigError } from './errors.js';
import { type OptionKind, type OptionName, type OptionValue, type OptionValues, options } from './options.js';

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
function readersOf(sources: readonly OptionValues[]) {
  const given = (name: OptionName): OptionValue => {
    const source = sources.find((values) => values.has(name));
    return source?.get(name) ?? { text: options[name].fallback, source: 'default' };
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
    seconds: (name: OptionName) => read(name, parseSeconds, 'a number of seconds above 0, like 2.5'),
    duration: (name: OptionName) => read(name, parseDurationMs, 'a duration above 0, like 30s, 1m30s or 500ms'),
    count: (name: OptionName) => read(name, parseCount, countRange(options[name].reads)),
    path: (name: OptionName) => read(name, parsePath, 'a path that begins with a slash'),
  };
}

/**
 * Makes the configuration of what was given, the most important source first (flags, environment, file).
 *
 * @throws ConfigError naming the source of a value that can't be read.
 */
export function compileConfig(sources: readonly OptionValues[]): Config {
  const { given, text, read, flag, seconds, duration, count, path } = readersOf(sources);
  requireTogether(given('etcd_certfile'), given('etcd_keyfile'));
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
    embeddedEtcd: read('embedded_etcd', parseEmbeddedEtcd, 'auto or never'),
    leaderTtlSeconds: Math.ceil(seconds('engine_reconcile_interval') * leaderTtlIntervals),
    publicIp: text('public_ip'),
    metadata: read('metadata', parseMetadata, 'key=value pairs, separated by commas'),
    maxUnits: text('max_units') === '' ? undefined : count('max_units') || undefined,
    agentTtlSeconds: Math.ceil(duration('agent_ttl') / 1000),
    lossGraceMs: text('loss_grace') === '' ? undefined : duration('loss_grace'),
    tokenLimit: count('token_limit'),
    unitsDirectory: path('units_directory'),
    stateDirectory: path('state_directory'),
    isUserManager: flag('systemd_user'),
    hasEngine: !flag('disable_engine'),
    hasAgent: !flag('disable_agent'),
    onStop: read('on_stop', parseOnStop, 'auto, leave or stay'),
    leaveTimeoutMs: duration('leave_timeout'),
  } satisfies Config);
}

function requireTogether(certificate: OptionValue, key: OptionValue): void {
  if ((certificate.text === '') === (key.text === '')) return;
  const { source } = certificate.text === '' ? key : certificate;
  throw new ConfigError(`${source}: etcd_certfile and etcd_keyfile go together, but only one of them is set`);
}

/** The words that Go's flag package reads as booleans, and ini's own. */
function parseBoolean(text: string): boolean | undefined {
  if (['1', 't', 'true'].includes(text.toLowerCase())) return true;
  if (['0', 'f', 'false', ''].includes(text.toLowerCase())) return false;
  return undefined;
}

function parseSeconds(text: string): number | undefined {
  const value = Number(text);
  return text !== '' && Number.isFinite(value) && value > 0 ? value : undefined;
}

function parseCount(text: string, reads: OptionKind): number | undefined {
  if (reads.kind !== 'count' || !/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value >= reads.min && value <= reads.max ? value : undefined;
}

function countRange(reads: OptionKind): string {
  return reads.kind === 'count' ? `a whole number from ${reads.min} to ${reads.max}` : 'a whole number';
}

function parsePath(text: string): string | undefined {
  return text === '' || text.startsWith('/') ? text : undefined;
}

/** fleet took lists in brackets and quotes as well: `["http://a:2379", "http://b:2379"]`. */
function parseServers(text: string): string[] | undefined {
  const servers = text.split(',').map((item) => item.replace(/^[\s["]+|\/?[\s\]"]*$/g, ''));
  return servers.every((server) => /^https?:\/\/[^/\s@]+$/.test(server)) ? servers : undefined;
}

function expectedServers(text: string): string {
  const hint = text.includes('@') ? '; user and password go into etcd_username and etcd_password' : '';
  return `a list of http:// or https:// addresses${hint}`;
}

/** The log is read by more people than the configuration. */
function withoutPassword(text: string): string {
  return text.replace(/:\/\/[^\s,]*@/g, '://…@');
}

function parseKeyPrefix(text: string): string | undefined {
  if (text === '' || /\s/.test(text)) return undefined;
  return `/${text.replace(/^\/+|\/+$/g, '')}/`.replace('//', '/');
}

function parseMetadata(text: string): ReadonlyMap<string, string> | undefined {
  const metadata = new Map<string, string>();
  for (const item of text.split(',').map((part) => part.trim())) {
    if (item === '') continue;
    const at = item.indexOf('=');
    if (at < 1) return undefined;
    metadata.set(item.slice(0, at).trim(), item.slice(at + 1).trim());
  }
  return metadata;
}

function parseOnStop(text: string): Config['onStop'] | undefined {
  return text === 'auto' || text === 'leave' || text === 'stay' ? text : undefined;
}

function parseEmbeddedEtcd(text: string): Config['embeddedEtcd'] | undefined {
  return text === 'auto' || text === 'never' ? text : undefined;
}
