import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type CommandResult,
  createLab,
  installFleet,
  type Lab,
  mustFleetctl,
  mustRun,
  type TestHost,
  untilMachines,
} from '../lab/index.js';
import { mainPids, sleeper } from './cluster.js';

const packageProgram = fileURLToPath(new URL('../../setup/package.mjs', import.meta.url));

/** Where services and people find programs, and nothing of the lab's. */
const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin';

/** Two packages of the same programs: to a host, one is the other's upgrade. */
export const versions = { older: '0.1.0', newer: '0.1.0+1' } as const;

export type Version = (typeof versions)[keyof typeof versions];

export const configFile = '/etc/fleet/fleet.conf';

/** Where the host with packages serves the API to others. */
const port = 49153;

/** A machine or a leader that could not say good-bye is soon missed. */
const shortLeases = { agent_ttl: '5s', engine_reconcile_interval: '1' };

/** Makes the packages of both programs, of what is built. @returns Their paths. */
export async function makeDebs(directory: string, version: Version): Promise<string[]> {
  await mustRun([process.execPath, packageProgram, '--built', `--version=${version}`, `--output=${directory}`]);
  return (await readdir(directory))
    .filter((file) => file.includes(`_${version}_`))
    .map((file) => join(directory, file));
}

/** A cluster of two hosts: one for packages, and one whose fleetd was put there by hand. */
export class DebHosts {
  readonly lab: Lab;
  readonly host: TestHost;
  readonly other: TestHost;
  #untouched: ReadonlySet<string> = new Set();

  private constructor(lab: Lab, host: TestHost, other: TestHost) {
    this.lab = lab;
    this.host = host;
    this.other = other;
  }

  static async start(): Promise<DebHosts> {
    const lab = await createLab({ name: `deb-${process.pid}`, hosts: 2, usr: 'writable' });
    try {
      const [host, other] = lab.hosts;
      assert.ok(host && other);
      const hosts = new DebHosts(lab, host, other);
      await hosts.#prepare();
      return hosts;
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  async #prepare(): Promise<void> {
    for (const version of Object.values(versions)) await makeDebs(this.lab.shared, version);
    for (const each of this.lab.hosts) {
      // A policy of the machine that runs this test would keep services from being started.
      await each.mustExec(['rm', '-f', '/usr/sbin/policy-rc.d']);
      await this.linkNode(each);
    }
    // apt has no lists of other packages here, and nobody who would say yes.
    await this.host.mustExec(['mkdir', '-p', '/var/lib/apt/lists/partial', '/var/cache/apt/archives/partial']);
    await this.host.writeFile('/etc/apt/apt.conf.d/lab', 'APT::Get::Assume-Yes "true";\n');
    const tcp = `[Socket]\nListenStream=${this.endpoint.replace('http://', '')}\n`;
    await this.host.writeFile('/etc/systemd/system/fleet.socket.d/tcp.conf', tcp);
    await installFleet(this.other, { etcd_servers: this.lab.etcdUrls, ...shortLeases });
    this.#untouched = await this.#files();
  }

  /** Of the host with packages, for fleetctl elsewhere. */
  get endpoint(): string {
    return `http://${this.host.address}:${port}`;
  }

  debOf(name: 'fleetd' | 'fleetctl', version: Version): string {
    return join(this.lab.shared, `${name}_${version}_all.deb`);
  }

  /** Puts Node where services look for it. */
  async linkNode(where: TestHost): Promise<void> {
    await where.mustExec(['ln', '-sf', '/opt/node/node', '/usr/local/bin/node']);
  }

  /** Takes away every Node that services would find, and puts a program in its place, if given. */
  async replaceNode(program?: string): Promise<void> {
    await this.host.mustExec(['rm', '-f', ...searchPath.split(':').map((directory) => `${directory}/node`)]);
    if (program === undefined) return;
    await this.host.writeFile('/usr/local/bin/node', program);
    await this.host.mustExec(['chmod', '755', '/usr/local/bin/node']);
  }

  /** Runs dpkg as where nobody sits: it can't ask anything. */
  dpkg(args: readonly string[], where = this.host): Promise<CommandResult> {
    return where.exec(['env', `PATH=${searchPath}`, 'dpkg', ...args]);
  }

  async mustDpkg(args: readonly string[], where = this.host): Promise<string> {
    const { code, stdout, stderr } = await this.dpkg(args, where);
    assert.equal(code, 0, `dpkg ${args.join(' ')}\n${stderr}${stdout}`);
    return stdout + stderr;
  }

  /** Types a block of the README on the host, with the packages at hand. Only addresses are the lab's own. */
  async type(block: string): Promise<string> {
    await this.host.mustExec([
      'sh',
      '-c',
      `rm -rf /tmp/debs; mkdir /tmp/debs; cp ${this.lab.shared}/*_${versions.older}_all.deb /tmp/debs`,
    ]);
    const script = block.replaceAll('http://10.0.0.1:2379', this.lab.etcdUrls);
    return this.host.mustExec(['env', `PATH=${searchPath}`, 'sh', '-e', '-c', `cd /tmp/debs\n${script}`]);
  }

  /** Installs fleetd on a host that is configured for this cluster already, and waits until it is a machine of it. */
  async joinCluster(options: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.configure(options);
    await this.mustDpkg(['--install', this.debOf('fleetd', versions.older)]);
    await untilMachines(this.other, [this.host, this.other]);
  }

  async configure(options: Readonly<Record<string, string>>): Promise<void> {
    const all = { etcd_servers: this.lab.etcdUrls, public_ip: this.host.address, ...shortLeases, ...options };
    const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}\n`);
    await this.host.writeFile(configFile, lines.join(''));
  }

  /** Runs units, with an `[Install]` section that leaves more links. */
  async startUnits(names: readonly string[]): Promise<void> {
    const paths: string[] = [];
    for (const name of names) {
      await this.other.writeFile(`/root/${name}`, `${sleeper}[Install]\nWantedBy=multi-user.target\n`);
      paths.push(`${this.other.root}/root/${name}`);
    }
    await mustFleetctl(this.other, ['start', ...paths]);
  }

  /** Main PID of fleetd; `0` if it does not run. */
  async fleetdPid(): Promise<string> {
    return (await mainPids(this.host, ['fleet.service'])).get('fleet.service') ?? '';
  }

  async systemctl(...args: readonly string[]): Promise<string> {
    return (await this.host.exec(['systemctl', ...args])).stdout.trim();
  }

  /** Takes everything off the host and out of the cluster again, for the next test. */
  async reset(): Promise<void> {
    await this.mustDpkg(['--purge', 'fleetd', 'fleetctl']);
    await this.linkNode(this.host);
    // A host that could not leave is lost when its lease has run out. Nobody has to wait for that here.
    await this.lab.etcdctl(['del', `/_coreos.com/fleet/machines/${this.host.machineId}`]);
    await untilMachines(this.other, [this.other]);
    const units = (await mustFleetctl(this.other, ['list-unit-files', '--no-legend', '--fields=unit'])).trim();
    if (units !== '') await mustFleetctl(this.other, ['destroy', ...units.split('\n')]);
  }

  /** What packages have left on the host. Sorted. */
  async leftovers(): Promise<string[]> {
    return [...(await this.#files())].filter((path) => !this.#untouched.has(path)).sort();
  }

  /** Paths on the host with packages that a package could leave behind. */
  async #files(): Promise<Set<string>> {
    // What dpkg, apt, man and systemd keep for themselves. The group stays, as a file may still belong to it.
    const kept = [
      '/proc',
      '/sys',
      '/dev',
      '/tmp',
      '/var/log',
      '/var/cache',
      '/var/lib/apt',
      '/var/lib/dpkg',
      '/run/systemd/journal',
    ];
    const groups = ['/etc/group', '/etc/group-', '/etc/gshadow', '/etc/gshadow-', '/etc/.pwd.lock'];
    const pruned = [...kept, ...groups].flatMap((path) => ['-path', path, '-prune', '-o']);
    const found = await this.host.mustExec(['find', '/', '/usr', '/run', '-xdev', ...pruned, '-print']);
    return new Set(found.split('\n'));
  }
}
