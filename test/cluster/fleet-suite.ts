import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type CommandResult,
  createLab,
  journalsOf,
  type Lab,
  singleFiles,
  startFleet,
  type TestHost,
  waitUntil,
} from '../lab/index.js';
import { writeFleetUnits } from './fleet-units.js';

/** Where fleet's functional tests had the API on each machine. */
const port = 54728;
const tcpSocket = `[Socket]\nListenStream=${port}\nService=fleet.service\n`;
const serviceDropIn = `[Unit]
Requires=fleet-tcp.socket
After=fleet-tcp.socket

[Service]
Environment=FLEET_METADATA=hostname=%H
`;

/** As they waited and polled. */
const pollMs = 250;
const unitsWithinMs = 15_000;
const machinesWithinMs = 10_000;

const requestProgram = fileURLToPath(new URL('http-request-main.js', import.meta.url));

/** What the API answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Request {
  readonly method?: string;
  readonly path: string;
  readonly body?: string;
}

/** Rows of a list, the first word of each with the others. */
type Rows = readonly (readonly [string, string, string])[];

/** Hosts as fleet's functional tests had them, and what those tests did with them, from outside and over TCP. */
export class FleetSuite {
  readonly lab: Lab;
  /** Has the unit files. */
  readonly units: string;

  private constructor(lab: Lab, units: string) {
    this.lab = lab;
    this.units = units;
  }

  static async start(name: string, hosts: number): Promise<FleetSuite> {
    const lab = await createLab({ name: `${name}-${process.pid}`, hosts });
    try {
      const units = join(lab.directory, 'units');
      await writeFleetUnits(units);
      for (const host of lab.hosts) {
        await host.writeFile('/etc/systemd/system/fleet-tcp.socket', tcpSocket);
        await host.writeFile('/etc/systemd/system/fleet.service.d/suite.conf', serviceDropIn);
      }
      await startFleet(lab, () => ({ agent_ttl: '3s', verbosity: '2' }));
      return new FleetSuite(lab, units);
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.lab.close();
  }

  host(index: number): TestHost {
    const host = this.lab.hosts[index];
    assert.ok(host, `the lab has host ${index}`);
    return host;
  }

  /** The path of a unit file, or what would be that of an instance. */
  unit(name: string): string {
    return join(this.units, name);
  }

  endpointOf(host: TestHost): string {
    return `http://${host.address}:${port}`;
  }

  /** Runs fleetctl on the lab's network, on none of its hosts. */
  client(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
    const settings = Object.entries(environment).map(([key, value]) => `${key}=${value}`);
    return this.lab.exec(['env', ...settings, process.execPath, join(singleFiles, 'fleetctl'), ...args]);
  }

  fleetctl(host: TestHost, ...args: readonly string[]): Promise<CommandResult> {
    return this.client([`--endpoint=${this.endpointOf(host)}`, ...args]);
  }

  /** For what has to succeed, without a word of an error. @returns Its standard output. */
  async must(host: TestHost, ...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.fleetctl(host, ...args);
    assert.equal(code, 0, `fleetctl ${args.join(' ')}\n${stderr}${stdout}`);
    assert.doesNotMatch(stderr, /Error/);
    return stdout;
  }

  /** Waits until list-units has so many rows. @returns Machines by unit. */
  async untilUnits(host: TestHost, count: number): Promise<Map<string, string[]>> {
    return machinesByUnit(await this.#untilRows(host, 'units', ({ length }) => length === count));
  }

  /** Waits until so many rows of list-units are active. @returns The machines of those, by unit. */
  async untilActive(host: TestHost, count: number): Promise<Map<string, string[]>> {
    const active = (rows: Rows) => rows.filter(([, state]) => state === 'active');
    return machinesByUnit(active(await this.#untilRows(host, 'units', (rows) => active(rows).length === count)));
  }

  /** Waits until list-unit-files has so many rows. @returns Desired and current state by unit. */
  async untilUnitFiles(host: TestHost, count: number): Promise<Map<string, readonly [string, string]>> {
    const rows = await this.#untilRows(host, 'unit-files', ({ length }) => length === count);
    return new Map(rows.map(([unit, desired, current]) => [unit, [desired, current]]));
  }

  /** Waits until list-machines has so many rows. @returns Their IDs. */
  async untilMachines(host: TestHost, count: number): Promise<string[]> {
    const list = ['list-machines', '--no-legend', '--full', '--fields', 'machine'];
    return await waitUntil({
      what: `${host.name} lists ${count} machines`,
      read: async () => linesOf(await this.must(host, ...list)),
      until: ({ length }) => length === count,
      timeoutMs: machinesWithinMs,
      intervalMs: pollMs,
      onTimeout: () => journalsOf(this.lab.hosts),
    });
  }

  async #untilRows(host: TestHost, of: 'units' | 'unit-files', so: (rows: Rows) => boolean): Promise<Rows> {
    const fields = of === 'units' ? 'unit,active,machine' : 'unit,dstate,state';
    const rows = await waitUntil({
      what: `list-${of} on ${host.name} is so: ${so}`,
      read: async () => {
        const list = await this.must(host, `list-${of}`, '--no-legend', '--full', '--fields', fields);
        return linesOf(list).map((line) => line.trim().split(/\s+/));
      },
      until: (seen) => seen.some(isMalformed) || so(seen.map(rowOf)),
      timeoutMs: unitsWithinMs,
      intervalMs: pollMs,
      onTimeout: () => journalsOf(this.lab.hosts),
    });
    assert.deepEqual(rows.filter(isMalformed), [], 'each row has three words');
    return rows.map(rowOf);
  }

  /** Sends a request over TCP. */
  async request(host: TestHost, { method = 'GET', path, body }: Request): Promise<Answer> {
    const argv = [process.execPath, requestProgram, method, `${this.endpointOf(host)}${path}`];
    return JSON.parse(await this.lab.mustExec(argv, body === undefined ? {} : { stdin: body })) as Answer;
  }

  /** Destroys all units, for the next test. */
  async reset(host: TestHost): Promise<void> {
    const names = linesOf(await this.must(host, 'list-unit-files', '--no-legend', '--fields', 'unit'));
    if (names.length > 0) await this.must(host, 'destroy', ...names);
    await this.untilUnits(host, 0);
  }
}

export function linesOf(output: string): string[] {
  return output.split('\n').filter((line) => line.trim() !== '');
}

const isMalformed = (words: readonly string[]) => words.length !== 3;

/** Of a machine only what stands before the address. */
function rowOf([unit = '', middle = '', last = '']: readonly string[]): [string, string, string] {
  return [unit, middle, last.split('/')[0] ?? ''];
}

function machinesByUnit(rows: Rows): Map<string, string[]> {
  const machines = new Map<string, string[]>();
  for (const [unit, , machine] of rows) machines.set(unit, [...(machines.get(unit) ?? []), machine]);
  return machines;
}
