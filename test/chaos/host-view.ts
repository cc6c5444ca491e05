import type { TestHost } from '../lab/index.js';

/** What systemd and the disk of a host say of our units. */
export interface HostView {
  readonly name: string;
  readonly machine: string;
  /** Load and active state of every unit that systemd lists. */
  readonly units: ReadonlyMap<string, { readonly load: string; readonly active: string; readonly sub: string }>;
  /** SHA-256 of the files in the units directory. */
  readonly files: ReadonlyMap<string, string>;
  /** Names of links that lead to them. */
  readonly links: readonly string[];
  /** Names of units that are noted as started. */
  readonly started: readonly string[];
  /** Active state of fleet.service. */
  readonly fleetd: string;
  /** Resident memory of fleetd; `undefined` if it does not run. */
  readonly residentKiB: number | undefined;
}

const look = `
systemctl list-units --all --plain --no-legend --full 'test-*.service'
echo ---
cd /var/lib/fleet/units 2>/dev/null && find . -type f -exec sha256sum {} +
echo ---
find /run/systemd/system /etc/systemd/system -name 'test-*' ! -type d -printf '%f\\n' | sort -u
echo ---
ls -1 /run/fleet/started 2>/dev/null
echo ---
systemctl show --value --property=ActiveState fleet.service
pid=$(systemctl show --value --property=MainPID fleet.service)
[ "$pid" = 0 ] || sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\) kB/\\1/p' "/proc/$pid/status"
`;

/** Looks at a host. @throws Error if it is down or does not answer. */
export async function readHost(host: TestHost): Promise<HostView> {
  const output = await host.mustExec(['sh', '-c', `${look}\nexit 0`], { timeoutMs: 20_000 });
  const [units = [], files = [], links = [], started = [], [fleetd = '', resident] = []] = output
    .split('---\n')
    .map((part) => part.split('\n').filter((line) => line.trim() !== ''));
  return {
    name: host.name,
    machine: host.machineId,
    units: new Map(units.map(unitRow)),
    files: new Map(files.map((line) => [line.slice(line.indexOf('./') + 2), line.slice(0, 64)])),
    links,
    started,
    fleetd,
    residentKiB: resident === undefined ? undefined : Number(resident),
  };
}

function unitRow(line: string): [string, { load: string; active: string; sub: string }] {
  const [name = '', load = '', active = '', sub = ''] = line.trim().split(/\s+/);
  return [name, { load, active, sub }];
}
