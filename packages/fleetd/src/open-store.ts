import { readFile } from 'node:fs/promises';
import type { Store } from '@flotilla/registry';
import { createEtcdStore } from '@flotilla/registry-etcd';
import type { Clock, Logger } from '@flotilla/runtime';
import type { Config } from './config.js';
import { ConfigError } from './errors.js';

export interface StoreFoundation {
  /** Where etcd is. */
  readonly servers: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** The store at `servers`, in the way that the configuration says. Nothing is connected yet. */
export async function openStore(config: Config, { servers, clock, log }: StoreFoundation): Promise<Store> {
  const { username, password, caFile, certFile, keyFile, keyPrefix, requestTimeoutMs } = config.etcd;
  const ca = await readPem('etcd_cafile', caFile);
  const cert = await readPem('etcd_certfile', certFile);
  const key = await readPem('etcd_keyfile', keyFile);
  const hasTls = servers.some((server) => server.startsWith('https://')) || ca !== undefined || cert !== undefined;
  return createEtcdStore({
    hosts: servers,
    prefix: keyPrefix,
    requestTimeoutMs,
    clock,
    log,
    ...(username === '' ? {} : { credentials: { user: username, password } }),
    ...(hasTls ? { tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) } } : {}),
  });
}

async function readPem(option: string, path: string): Promise<Buffer | undefined> {
  if (path === '') return undefined;
  try {
    return await readFile(path);
  } catch (error) {
    throw new ConfigError(`${option}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
