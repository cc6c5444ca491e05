import { join } from 'node:path';
import { findObjection, LocalEtcd } from '@flotilla/local-etcd';
import type { Clock, Logger } from '@flotilla/runtime';
import type { Config } from './config.js';

export interface ServersFoundation {
  readonly clock: Clock;
  readonly log: Logger;
  /** What is kept there is gone after a reboot. */
  readonly runtimeDirectory: string;
  /** The directories of programs, as `PATH` has them. */
  readonly searchPath: string;
  /** Ends the search. */
  readonly signal: AbortSignal;
}

/** Where etcd is. */
export interface Servers {
  readonly servers: readonly string[];
  /** Why one of them may not be used now; absent if somebody has named them, and so vouches for them. */
  readonly findObjection?: (server: string) => Promise<string | undefined>;
  /** To be called when the store there is known to be the right one. */
  readonly onTaken: () => void;
}

/** The servers that are configured, or this host's own etcd, brought up if there is no other. Gives up once `signal` aborts. */
export async function findServers(config: Config, foundation: ServersFoundation): Promise<Servers> {
  const { clock, log, runtimeDirectory, searchPath, signal } = foundation;
  const { servers, isTold } = config.etcd;
  const { stateDirectory, embeddedEtcd: mode, isUserManager: user } = config;
  const localEtcd = new LocalEtcd({
    isTold,
    mode,
    defaultServers: servers,
    stateDirectory,
    unitDirectory: join(runtimeDirectory, user ? 'systemd/user' : 'systemd/system'),
    searchPath: searchPath.split(':'),
    user,
    clock,
    log,
  });
  signal.addEventListener('abort', () => void localEtcd.close());
  const own = await localEtcd.open();
  if (own !== undefined) return { servers: [own], onTaken: () => undefined };
  const giveWay = () =>
    localEtcd.giveWay(servers).catch((error) => log.warn('which store this host has is not remembered', { error }));
  return { servers, ...(isTold ? {} : { findObjection }), onTaken: () => void giveWay() };
}
