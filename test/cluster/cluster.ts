import assert from 'node:assert/strict';
import {
  createLab,
  type FleetConfig,
  fleetctl,
  journalsOf,
  type Lab,
  listUnits,
  mustFleetctl,
  showProperty,
  startFleet,
  type TestHost,
  type UnitRow,
  untilMachines,
  waitUntil,
} from '../lab/index.js';

/** A service that does nothing, for as long as it is let. */
export const sleeper = '[Service]\nExecStart=/bin/sleep infinity\n';

/** The sleeper with lines for `[X-Fleet]`. */
export function sleeperWith(...rules: readonly string[]): string {
  return `${sleeper}[X-Fleet]\n${rules.join('\n')}\n`;
}

/** Short, so that a lost machine is missed soon; long enough for two busy cores. */
const shortTerms = { agent_ttl: '5s', engine_reconcile_interval: '1' };

export interface ClusterOptions {
  /** @default 3 */
  readonly hosts?: number;
  /** @default 1 */
  readonly etcdMembers?: number;
  /** Of fleetd on every host. */
  readonly config?: FleetConfig;
}

/** Hosts with fleetd, and the questions that tests ask of them. */
export class Cluster {
  readonly lab: Lab;
  #machines: readonly TestHost[];
  #files = 0;

  private constructor(lab: Lab) {
    this.lab = lab;
    this.#machines = lab.hosts;
  }

  static async start(name: string, options: ClusterOptions = {}): Promise<Cluster> {
    const { hosts = 3, etcdMembers = 1, config = {} } = options;
    const lab = await createLab({ name: `${name}-${process.pid}`, hosts, etcdMembers });
    try {
      await startFleet(lab, (host) => ({ ...shortTerms, metadata: `host=${host.name}`, ...config }));
      return new Cluster(lab);
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.lab.close();
  }

  /** The hosts that are to be machines of the cluster, whether they are up or not; all of them at first. */
  get machines(): readonly TestHost[] {
    return this.#machines;
  }

  /** Any machine that is up: to send fleetctl to. */
  get anyHost(): TestHost {
    const host = this.#machines.find(({ isUp }) => isUp);
    assert.ok(host, 'a host is up');
    return host;
  }

  /** Stops fleetd on a host, which so leaves the cluster. */
  async leave(host: TestHost): Promise<void> {
    // The socket goes first, as it would start fleetd again.
    await host.mustExec(['systemctl', 'stop', 'fleet.socket', 'fleet.service']);
    this.#machines = this.#machines.filter((machine) => machine !== host);
    await untilMachines(this.anyHost, this.#machines);
  }

  /** Starts fleetd on a host that has left. */
  async join(host: TestHost): Promise<void> {
    await host.mustExec(['systemctl', 'start', 'fleet.socket', 'fleet.service']);
    this.#machines = this.lab.hosts.filter((each) => each === host || this.#machines.includes(each));
    for (const machine of this.#machines) await untilMachines(machine, this.#machines);
  }

  /** Has so many machines in the cluster, whichever. @returns Them. */
  async resize(count: number): Promise<readonly TestHost[]> {
    const others = this.lab.hosts.filter((host) => !this.#machines.includes(host));
    for (const host of others.slice(0, Math.max(0, count - this.#machines.length))) await this.join(host);
    for (const host of this.#machines.slice(count)) await this.leave(host);
    return this.#machines;
  }

  /** Destroys all units and has the machines back in the cluster, for the next test. */
  async reset(): Promise<void> {
    for (const host of this.lab.hosts) await host.boot();
    for (const host of this.#machines) await untilMachines(host, this.#machines);
    const names = await this.unitFiles();
    if (names.length > 0) await mustFleetctl(this.anyHost, ['destroy', ...names]);
    for (const host of this.lab.hosts) await this.untilRunning(host, []);
  }

  /** Names of all unit files in the registry. */
  async unitFiles(): Promise<string[]> {
    const output = await mustFleetctl(this.anyHost, ['list-unit-files', '--no-legend', '--fields=unit']);
    return output.split('\n').filter((line) => line !== '');
  }

  /** Writes a unit file outside of the cluster. @returns Its path, for fleetctl. */
  async unitFile(name: string, text: string): Promise<string> {
    const directory = `/root/units-${this.#files++}`;
    await this.anyHost.writeFile(`${directory}/${name}`, text);
    return `${this.anyHost.root}${directory}/${name}`;
  }

  /** Starts units of a text and waits until fleetctl says that they run. */
  startUnits(names: readonly string[], text: string): Promise<void> {
    return this.start(Object.fromEntries(names.map((name) => [name, text])));
  }

  /** Starts units, texts by name, and waits until fleetctl says that they run, unless its flags say otherwise. */
  async start(texts: Readonly<Record<string, string>>, flags: readonly string[] = []): Promise<void> {
    const paths: string[] = [];
    for (const [name, text] of Object.entries(texts)) paths.push(await this.unitFile(name, text));
    await mustFleetctl(this.anyHost, ['start', ...flags, ...paths]);
  }

  /** What list-units says of units whose names begin so. */
  async rows(prefix: string): Promise<UnitRow[]> {
    return (await listUnits(this.anyHost)).filter(({ unit }) => unit.startsWith(prefix));
  }

  /** Waits until each unit is active on exactly one machine by list-units. @returns Those machines' hosts, by unit. */
  async untilPlaced(names: readonly string[], timeoutMs = 40_000): Promise<Map<string, TestHost>> {
    const rows = await waitUntil({
      what: `${names.length} units are active, on one machine each`,
      read: () => listUnits(this.anyHost),
      until: (seen) => names.every((name) => isOnce(seen, name)),
      timeoutMs,
      onTimeout: () => this.details(),
    });
    return new Map(names.map((name) => [name, this.hostOf(rows.find(({ unit }) => unit === name)?.machine ?? '')]));
  }

  /** Waits until a unit waits, and list-unit-files says why. */
  async untilWaiting(name: string, reason: RegExp): Promise<void> {
    await waitUntil({
      what: `${name} waits because of ${reason}`,
      read: () => mustFleetctl(this.anyHost, ['list-unit-files', '--no-legend', '--fields=unit,target,reason']),
      until: (list) => list.split('\n').some((line) => isWaiting(line, name) && reason.test(line)),
      onTimeout: () => this.details(),
    });
  }

  hostOf(machine: string): TestHost {
    const host = this.lab.hosts.find(({ machineId }) => machineId === machine);
    assert.ok(host, `${machine} is a machine of the lab`);
    return host;
  }

  /** Waits until exactly these of the fleet's units run on a host, by systemd's own word. */
  async untilRunning(host: TestHost, names: readonly string[]): Promise<void> {
    const wanted = [...names].sort();
    await waitUntil({
      what: `${host.name} runs ${wanted.join(' ') || 'nothing'}`,
      read: () => runningUnits(host),
      until: (running) => running.join() === wanted.join(),
      onTimeout: () => this.details(),
    });
  }

  /** Checks on the hosts that every unit runs on the machine named for it and nowhere else. */
  async assertRunning(hostByUnit: ReadonlyMap<string, TestHost>): Promise<void> {
    for (const host of this.lab.hosts.filter(({ isUp }) => isUp)) {
      const wanted = [...hostByUnit].filter(([, at]) => at === host).map(([name]) => name);
      await this.untilRunning(host, wanted);
    }
  }

  /** For messages of failures. */
  async details(): Promise<string> {
    const unitFiles = ['list-unit-files', '--fields=unit,dstate,state,target,reason'];
    const lists = [['list-machines'], unitFiles, ['list-units']];
    const said = await Promise.all(lists.map((list) => fleetctl(this.anyHost, list)));
    return [...said.map(({ stdout, stderr }) => stdout + stderr), await journalsOf(this.lab.hosts)].join('\n');
  }
}

/** Whether a line of unit, target and reason is that of a unit without a machine. */
function isWaiting(line: string, name: string): boolean {
  const [unit, target] = line.split(/\s+/);
  return unit === name && target === '-';
}

function isOnce(rows: readonly UnitRow[], name: string): boolean {
  const own = rows.filter(({ unit }) => unit === name);
  return own.length === 1 && own[0]?.active === 'active';
}

/** The units of fleet's that systemd on a host calls active: those whose names begin with `test-`. Sorted. */
export async function runningUnits(host: TestHost): Promise<string[]> {
  const list = ['systemctl', 'list-units', '--plain', '--no-legend', '--full', '--state=active', 'test-*'];
  const lines = (await host.mustExec(list)).split('\n').filter((line) => line.trim() !== '');
  return lines
    .map((line) => line.trim().split(/\s+/)[0] ?? '')
    .filter((name) => !name.endsWith('.slice'))
    .sort();
}

/** Main PIDs by unit, as systemd on the host has them. */
export async function mainPids(host: TestHost, names: readonly string[]): Promise<Map<string, string>> {
  const pids = new Map<string, string>();
  for (const name of names) {
    pids.set(name, await showProperty(host, name, 'MainPID'));
  }
  return pids;
}

/** Main PIDs of units, each on its host: the same ones again say that nothing was started anew. */
export async function pidsOf(hostByUnit: ReadonlyMap<string, TestHost>): Promise<Map<string, string>> {
  const pids = new Map<string, string>();
  for (const [name, host] of hostByUnit) for (const [, pid] of await mainPids(host, [name])) pids.set(name, pid);
  return pids;
}
