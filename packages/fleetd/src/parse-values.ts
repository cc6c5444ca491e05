import { normalize } from 'node:path';
import { parseDurationMs } from '@flotilla/cluster';
import type { OptionKind } from './options.js';

/** The words that Go's flag package reads as booleans, in any case. */
export function parseBoolean(text: string): boolean | undefined {
  if (['1', 't', 'true'].includes(text.toLowerCase())) return true;
  if (['0', 'f', 'false'].includes(text.toLowerCase())) return false;
  return undefined;
}

/** What is longer would make timers overflow. Nobody waits that long on purpose. */
const longestSeconds = 86_400;
const longestMs = 500 * 3_600_000;

export function parseSeconds(text: string): number | undefined {
  const value = Number(text);
  return text !== '' && value > 0 && value <= longestSeconds ? value : undefined;
}

/** Milliseconds. */
export function parseDuration(text: string): number | undefined {
  const ms = parseDurationMs(text);
  return ms !== undefined && ms <= longestMs ? ms : undefined;
}

/** An address or a name of a host, as far as that can be told: others only pass it on. */
export function parseHost(text: string): string | undefined {
  return /^[\w.:%-]*$/.test(text) ? text : undefined;
}

export function parseCount(text: string, reads: OptionKind): number | undefined {
  if (reads.kind !== 'count' || !/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value >= reads.min && value <= reads.max ? value : undefined;
}

export function countRange(reads: OptionKind): string {
  return reads.kind === 'count' ? `a whole number from ${reads.min} to ${reads.max}` : 'a whole number';
}

export function parsePath(text: string): string | undefined {
  return text === '' || text.startsWith('/') ? text : undefined;
}

/** Nothing can be kept below these; and Node's `mkdir` never ends below `/proc`. */
const kernelDirectory = /^\/(?:proc|sys)(?:\/|$)/;

export function parseDirectory(text: string): string | undefined {
  const path = parsePath(text);
  return path === undefined || kernelDirectory.test(normalize(path).replace(/^\/+/, '/')) ? undefined : path;
}

/** fleet took lists in brackets and quotes as well: `["http://a:2379", "http://b:2379"]`. */
export function parseServers(text: string): string[] | undefined {
  const servers = text.split(',').map((item) => item.replace(/^[\s["]+|\/?[\s\]"]*$/g, ''));
  return servers.every((server) => /^https?:\/\/[^/\s@]+$/.test(server)) ? servers : undefined;
}

export function expectedServers(text: string): string {
  const hint = text.includes('@') ? '; user and password go into etcd_username and etcd_password' : '';
  return `a list of http:// or https:// addresses${hint}`;
}

/** The log is read by more people than the configuration. */
export function withoutPassword(text: string): string {
  return text.replace(/:\/\/[^\s,]*@/g, '://…@');
}

export function parseKeyPrefix(text: string): string | undefined {
  if (text === '' || /\s/.test(text)) return undefined;
  return `/${text.replace(/^\/+|\/+$/g, '')}/`.replace('//', '/');
}

export function parseMetadata(text: string): ReadonlyMap<string, string> | undefined {
  const metadata = new Map<string, string>();
  for (const item of text.split(',').map((part) => part.trim())) {
    if (item === '') continue;
    const at = item.indexOf('=');
    if (at < 1) return undefined;
    metadata.set(item.slice(0, at).trim(), item.slice(at + 1).trim());
  }
  return metadata;
}

/** One of `choices`, which are what a value of type `T` can be. */
export function parseChoice<T extends string>(choices: readonly T[]): (text: string) => T | undefined {
  return (text) => choices.find((choice) => choice === text);
}
