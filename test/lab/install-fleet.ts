import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fleetGroupFile, fleetServiceUnit, fleetSocketUnit, hostPlaces } from '@flotilla/fleetd';
import type { TestHost } from './host.js';

/** fleetd's options: the lines of its configuration file. */
export type FleetConfig = Readonly<Record<string, string>>;

/** The single files, made by `npm run build`. */
export const singleFiles = fileURLToPath(new URL('../../../dist/', import.meta.url));

/** A second door on the host's disk: the machine outside can reach it there, unlike /run. */
export const outerSocket = '/srv/fleet.sock';

/** Where nothing on the machine is touched: /usr is the machine's own, and Node is where the lab has bound it. */
const program = '/opt/fleet/fleetd';

/** What a lab adds to the units that users get. */
const serviceDropIn = `[Service]
Environment=PATH=/opt/node:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin
RestartSec=100ms
`;
const socketDropIn = `[Socket]\nListenStream=${outerSocket}\n`;

/** Puts fleetd and fleetctl on a host, with a configuration, and starts fleetd through its socket and service. */
export async function installFleet(host: TestHost, config: FleetConfig): Promise<void> {
  for (const name of ['fleetd', 'fleetctl']) {
    await host.writeFile(`/opt/fleet/${name}`, await readFile(join(singleFiles, name)));
    await host.mustExec(['chmod', '755', `/opt/fleet/${name}`]);
  }
  const lines = Object.entries({ public_ip: host.address, ...config }).map(([key, value]) => `${key} = ${value}\n`);
  await host.writeFile(hostPlaces.configFile, lines.join(''));
  const { units, socket, groupFile = '' } = hostPlaces;
  await host.writeFile(groupFile, fleetGroupFile);
  await host.mustExec(['systemd-sysusers', groupFile]);
  await host.writeFile(`${units}/fleet.service`, fleetServiceUnit({ command: [program], manager: 'system' }));
  await host.writeFile(`${units}/fleet.service.d/lab.conf`, serviceDropIn);
  await host.writeFile(`${units}/fleet.socket`, fleetSocketUnit({ socket, manager: 'system' }));
  await host.writeFile(`${units}/fleet.socket.d/lab.conf`, socketDropIn);
  await host.mustExec(['systemctl', 'daemon-reload']);
  await host.mustExec(['systemctl', 'enable', '--now', 'fleet.socket', 'fleet.service']);
}
