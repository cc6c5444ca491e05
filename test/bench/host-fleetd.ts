import { mustFleetctl, type TestHost } from '../lab/index.js';

/** What both ways run: it does nothing, for as long as it is let. */
export const sleeper = '[Service]\nExecStart=/bin/sleep infinity\n';

/** The programs by which fleetd speaks to systemd. */
export const countedPrograms = ['systemctl', 'busctl', 'systemd-notify'] as const;

const countDirectory = '/run/bench-calls';
const wrapperDirectory = '/opt/bench';

/** Names of a template's instances, 1 to `count`. */
export function instances(template: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${template}@${index + 1}.service`);
}

/**
 * Has fleetd find a script in the place of each of {@link countedPrograms}, which notes the call and becomes the program.
 * It costs fleetd a millisecond a call.
 */
export async function countCalls(host: TestHost): Promise<void> {
  await host.mustExec(['mkdir', '-p', countDirectory]);
  for (const program of countedPrograms) {
    const script = `#!/bin/sh\necho "$1 $2 $3" >>${countDirectory}/${program}\nexec /usr/bin/${program} "$@"\n`;
    await host.writeFile(`${wrapperDirectory}/${program}`, script);
    await host.mustExec(['chmod', '755', `${wrapperDirectory}/${program}`]);
  }
  const path = `[Service]\nEnvironment=PATH=${wrapperDirectory}:/opt/node:/usr/sbin:/usr/bin\n`;
  await host.writeFile('/etc/systemd/system/fleet.service.d/zz-bench.conf', path);
  await host.mustExec(['systemctl', 'daemon-reload']);
  await host.mustExec(['systemctl', 'restart', 'fleet.service']);
}

/** The calls so far, by program: the first words of each call. */
export async function callsSoFar(host: TestHost): Promise<ReadonlyMap<string, readonly string[]>> {
  const calls = new Map<string, string[]>();
  for (const program of countedPrograms) {
    const { stdout } = await host.exec(['cat', `${countDirectory}/${program}`]);
    calls.set(
      program,
      stdout.split('\n').filter((line) => line !== ''),
    );
  }
  return calls;
}

/** A template of the host's own, and the same one in the cluster. */
export async function putTemplates(host: TestHost): Promise<void> {
  await host.writeFile('/etc/systemd/system/bare@.service', sleeper);
  await host.mustExec(['systemctl', 'daemon-reload']);
  await host.writeFile('/root/fleet@.service', sleeper);
  await mustFleetctl(host, ['submit', `${host.root}/root/fleet@.service`]);
}
