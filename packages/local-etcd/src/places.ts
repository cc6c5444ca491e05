import { join } from 'node:path';

/** Where a host's own etcd lives. Absolute paths. */
export interface LocalEtcdPlaces {
  /** Its working directory: nobody else gets in. */
  readonly directory: string;
  readonly data: string;
  /** Names this etcd as the host's store; absent once another store has taken over. */
  readonly marker: string;
  /** Names the servers of another store, once there was one: also after the host has left that cluster. */
  readonly otherStore: string;
  /** Where its clients connect. */
  readonly socket: string;
  readonly unitFile: string;
}

/** The unit that a host's own etcd runs as. */
export const localEtcdUnit = 'fleet-etcd.service';

/** etcd wants a host and a port even of a socket: together they are its path below the working directory. */
export const socketNames = { clients: 'client:1', peers: 'peer:1' } as const;

/** @param unitDirectory systemd's, for units that are gone after a reboot. */
export function localEtcdPlaces(stateDirectory: string, unitDirectory: string): LocalEtcdPlaces {
  const directory = join(stateDirectory, 'etcd');
  return {
    directory,
    data: join(directory, 'data'),
    marker: join(directory, 'in-use'),
    otherStore: join(stateDirectory, 'other-store'),
    socket: join(directory, socketNames.clients),
    unitFile: join(unitDirectory, localEtcdUnit),
  };
}
