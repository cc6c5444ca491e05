import type { Alarm, ListenerOptions, Listening } from '@flotilla/api';
import type { Config } from './config.js';
import { isLoopback } from './listen-addresses.js';

/** What a socket file of the host's lets in besides its owner. */
const groupMode = 0o660;
const ownerMode = 0o600;

export interface Doors {
  /** Descriptors of the sockets that were passed. */
  readonly sockets: readonly number[];
  /** Where a user's own socket lies. */
  readonly runtimeDirectory: string;
  /** ID of the group whose members may use the API; `undefined` if the host has no such group. */
  readonly groupId: number | undefined;
}

/** Where the API is to be served: at the sockets that were passed, then where the configuration says. */
export function findListeners(config: Config, { sockets, runtimeDirectory, groupId }: Doors): ListenerOptions[] {
  const { isUserManager, listen } = config;
  const access = isUserManager || groupId === undefined ? { mode: ownerMode } : { mode: groupMode, gid: groupId };
  const inherited = sockets.map((fd) => ({ kind: 'inherited', fd }) as const);
  const own = listen.map((address) => (address.kind === 'unix' ? { ...address, ...access } : address));
  // A user who runs fleetd by hand is not asked to write units for systemd first.
  if (isUserManager && inherited.length === 0 && own.length === 0)
    return [{ kind: 'unix', path: `${runtimeDirectory}/fleet.sock`, ...access }];
  return [...inherited, ...own];
}

/** What an operator is to know if other hosts reach the API, which has no protection of its own. */
export function openDoorAlarms(listening: readonly Listening[]): Alarm[] {
  const open = listening.filter(({ door, address }) => door === 'tcp' && !isLoopback(hostOf(address)));
  if (open.length === 0) return [];
  const where = open.map(({ address }) => address).join(' and ');
  const message =
    `the API is open at ${where}: whoever reaches that is root on every host of the cluster. ` +
    'Have it listen on a unix socket or 127.0.0.1 (ListenStream= of its .socket unit, insecure_listen of fleetd), or keep others out with a firewall';
  return [{ code: 'api-open', message }];
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '');
}

/** The ID of a group in a file like /etc/group. @see group(5) */
export function findGroupId(groups: string, name: string): number | undefined {
  const entry = groups.split('\n').find((line) => line.startsWith(`${name}:`));
  const id = entry?.split(':')[2] ?? '';
  return /^\d+$/.test(id) ? Number(id) : undefined;
}
