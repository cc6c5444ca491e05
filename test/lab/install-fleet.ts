import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestHost } from './host.js';

/** fleetd's options: the lines of its configuration file. */
export type FleetConfig = Readonly<Record<string, string>>;

/** The single files, made by `npm run build`. */
export const singleFiles = fileURLToPath(new URL('../../../dist/', import.meta.url));

/** A second door on the host's disk: the machine outside can reach it there, unlike /run. */
export const outerSocket = '/srv/fleet.sock';

/**
 * `KillMode=process`: fleetd's children are short calls of systemctl, which may end by themselves. With `mixed`, systemd
 * waits for them before it starts fleetd again, up to a minute where it misses their end (containers on cgroup v1).
 */
const fleetService = `[Unit]
Description=Flotilla: runs this host's share of the cluster's units
Requires=fleet.socket
After=fleet.socket network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=/opt/fleet/fleetd --config /etc/fleet/fleet.conf
Environment=PATH=/opt/node:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin
KillMode=process
Restart=on-failure
TimeoutStopSec=60

[Install]
WantedBy=multi-user.target
`;

const fleetSocket = `[Unit]
Description=Flotilla's API

[Socket]
ListenStream=/var/run/fleet.sock
ListenStream=${outerSocket}
SocketMode=0660

[Install]
WantedBy=sockets.target
`;

/** Puts fleetd and fleetctl on a host, with a configuration, and starts fleetd through its socket and service. */
export async function installFleet(host: TestHost, config: FleetConfig): Promise<void> {
  for (const name of ['fleetd', 'fleetctl']) {
    await host.writeFile(`/opt/fleet/${name}`, await readFile(join(singleFiles, name)));
    await host.mustExec(['chmod', '755', `/opt/fleet/${name}`]);
  }
  const lines = Object.entries({ public_ip: host.address, ...config }).map(([key, value]) => `${key} = ${value}\n`);
  await host.writeFile('/etc/fleet/fleet.conf', lines.join(''));
  await host.writeFile('/etc/systemd/system/fleet.service', fleetService);
  await host.writeFile('/etc/systemd/system/fleet.socket', fleetSocket);
  await host.mustExec(['systemctl', 'daemon-reload']);
  await host.mustExec(['systemctl', 'enable', '--now', 'fleet.socket', 'fleet.service']);
}
