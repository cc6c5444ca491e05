import { join } from 'node:path';
import type { Account, UserPlaces } from '../user-places.js';

/** Where the parts of an installation lie. Absolute paths; fleetd's own defaults are those of {@link hostPlaces}. */
export interface Places {
  /** Which systemd runs fleetd: the host's, or a user's own. */
  readonly manager: 'system' | 'user';
  /** Directory of `fleetd` and `fleetctl`. */
  readonly programs: string;
  /** Directory of `fleet.service` and `fleet.socket`. */
  readonly units: string;
  /** Systemd's directory for units that are gone after a boot: the cluster's, and the host's own etcd. */
  readonly runtimeUnits: string;
  /** Tells systemd-sysusers of the group `fleet`; `undefined` where the socket needs no group. */
  readonly groupFile: string | undefined;
  readonly configFile: string;
  /** Watched unless the configuration says otherwise. */
  readonly unitDirectory: string;
  readonly stateDirectory: string;
  /** Empty after a boot. */
  readonly runtimeDirectory: string;
  readonly socket: string;
}

/** What `fleetd install` places on a host. */
export const hostPlaces: Places = {
  manager: 'system',
  programs: '/usr/local/bin',
  units: '/etc/systemd/system',
  runtimeUnits: '/run/systemd/system',
  groupFile: '/etc/sysusers.d/fleet.conf',
  configFile: '/etc/fleet/fleet.conf',
  unitDirectory: '/etc/fleet/units',
  stateDirectory: '/var/lib/fleet',
  runtimeDirectory: '/run/fleet',
  socket: '/run/fleet.sock',
};

/** What a distribution's package places: its own directories, the same configuration and state. */
export const packagePlaces: Places = {
  ...hostPlaces,
  programs: '/usr/bin',
  units: '/usr/lib/systemd/system',
  groupFile: '/usr/lib/sysusers.d/fleet.conf',
};

/** What `fleetd install --user` places. @see file-hierarchy(7), systemd.unit(5) */
export function placesOfUser(user: UserPlaces, { home }: Account): Places {
  return {
    manager: 'user',
    programs: join(home, '.local/bin'),
    units: join(user.configHome, 'systemd/user'),
    runtimeUnits: join(user.runtimeDirectory, 'systemd/user'),
    groupFile: undefined,
    configFile: user.configFile,
    unitDirectory: user.unitDirectory,
    stateDirectory: user.stateDirectory,
    runtimeDirectory: join(user.runtimeDirectory, 'fleet'),
    socket: join(user.runtimeDirectory, 'fleet.sock'),
  };
}

/** A call of systemctl to the systemd that these places belong to. */
export function systemctl({ manager }: Places, ...words: readonly string[]): string[] {
  return ['systemctl', ...(manager === 'user' ? ['--user'] : []), ...words];
}
