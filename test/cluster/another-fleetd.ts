import { journalsOf, showProperty, type TestHost, waitUntil } from '../lab/index.js';

const fleetdPid = (host: TestHost): Promise<string> => showProperty(host, 'fleet.service', 'MainPID');

/** Has a host's fleetd end in some way, and waits until systemd has started another one. */
export async function untilAnotherFleetd(host: TestHost, argv: readonly string[]): Promise<void> {
  const before = await fleetdPid(host);
  await host.mustExec(argv);
  await waitUntil({
    what: `another fleetd runs on ${host.name} after ${argv.join(' ')}`,
    read: () => fleetdPid(host),
    until: (pid) => pid !== '0' && pid !== before,
    onTimeout: () => journalsOf([host]),
  });
}
