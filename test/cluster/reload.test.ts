import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { after, afterEach, before, describe, it } from 'node:test';
import {
  endpointOf,
  fleetctl,
  isLong,
  journalsOf,
  labObstacle,
  mustFleetctl,
  showUnits,
  type TestHost,
  waitUntil,
} from '../lab/index.js';
import { Cluster, runningUnits, sleeper } from './cluster.js';
import { assertUntouched, recordRuns } from './unit-runs.js';

const configFile = '/etc/fleet/fleet.conf';
const reload = ['systemctl', 'reload', 'fleet.service'];
const rounds = isLong ? 60 : 10;

/** In KiB; a collector takes its time. Components that stayed would be some MB each. */
const mostGrowth = 15_000;

/** What people look for in the journal. */
const lines = [
  `Using default config file ${configFile}\n`,
  'Starting fleetd version ',
  'Establishing etcd connectivity ',
  'Starting server components\n',
  `Reloading configuration from ${configFile}\n`,
  'Restarting server components\n',
  'Not starting engine; disable-engine is set\n',
];

const names = ['test-1.service', 'test-2.service'];

describe('a fleetd that reads its configuration again', { skip: labObstacle() }, () => {
  let cluster: Cluster;
  let host: TestHost;
  let config: string;

  before(async () => {
    cluster = await Cluster.start('reload', { hosts: 1 });
    host = cluster.anyHost;
    config = await host.readFile(configFile);
  });

  after(() => cluster.close());
  afterEach(async () => {
    await host.writeFile(configFile, config);
    await host.mustExec(['systemctl', 'restart', 'fleet.service']);
    await cluster.reset();
  });

  /** What tells one fleetd from another, and that it is well. */
  const fleetd = async (): Promise<Readonly<Record<string, string>>> => {
    const [shown] = await showUnits(host, ['MainPID', 'InvocationID', 'ActiveState', 'Result'], ['fleet.service']);
    return Object.fromEntries(shown ?? []);
  };

  const journal = () => host.mustExec(['journalctl', '--no-pager', '--output=cat', '--unit=fleet.service']);

  /** How often fleetd's journal has a text. */
  const count = async (text: string) => (await journal()).split(text).length - 1;

  /** Sends a SIGHUP with this configuration, and waits until the journal has `text` once more. */
  const reloadWith = async (lines: string, text: string) => {
    const before = await count(text);
    await host.writeFile(configFile, lines);
    await host.mustExec(reload);
    await waitUntil({
      what: `fleetd says ${text}`,
      read: () => count(text),
      until: (now) => now > before,
      onTimeout: () => journalsOf([host]),
    });
  };

  const metadata = async () => {
    const lists = await mustFleetctl(host, ['list-machines', '--no-legend', '--fields=metadata']);
    return lists.trim();
  };

  it('goes on serving, as the same process, and says what it does', async () => {
    await cluster.startUnits(['test-hello.service'], sleeper);
    await mustFleetctl(host, ['unload', 'test-hello.service']);
    const before = await fleetd();
    await reloadWith(`${config}\ndisable_engine = true\n`, 'registered');
    const said = await journal();
    for (const line of lines) assert.ok(said.includes(line), `${line}\n${said}`);
    assert.doesNotMatch(said, /Failed serving HTTP on listener:/);
    assert.equal((await fleetctl(host, ['list-units'])).code, 0);
    assert.deepEqual(await fleetd(), before);
    assert.deepEqual([before.ActiveState, before.Result], ['active', 'success']);
    assert.equal((await host.mustExec(['pidof', 'fleetd'])).trim(), before.MainPID);
  });

  it('answers each request, changes no unit, and has the new options', async () => {
    await cluster.startUnits(names, sleeper);
    const [runs, before] = [await recordRuns([host]), await fleetd()];
    const open = () => host.mustExec(['sh', '-c', `ls /proc/${before.MainPID}/fd | wc -l`]).then(Number);
    const openBefore = await open();
    const resident = () => host.mustExec(['ps', '-o', 'rss=', '-p', before.MainPID ?? '']).then(Number);
    let early = 0;
    const clients = [new Client(host), new Client(host), new Client(host, { keepAlive: true })];
    for (let round = 1; round <= rounds; round++) {
      // A lease of another length is another lease.
      await reloadWith(`${config}\nmetadata = round=${round}\nagent_ttl = ${round < 9 ? 5 : 6}s\n`, 'registered');
      if (round === 10) early = await resident();
    }
    const statuses = await Promise.all(clients.map((client) => client.end()));
    assert.deepEqual([...new Set(statuses.flat())], [200]);
    assert.equal(await metadata(), `round=${rounds}`);
    const late = await resident();
    assert.ok(late < early + mostGrowth, `fleetd's memory: ${early} KiB, later ${late} KiB`);
    await reloadWith(config, 'registered');
    assert.equal(await metadata(), `host=${host.name}`);
    await assertUntouched(runs, [host]);
    assert.deepEqual(await fleetd(), before);
    await waitUntil({
      what: `fleetd has ${openBefore} descriptors open again`,
      read: open,
      until: (now) => now <= openBefore,
    });
  });

  it('keeps what it has if the file can not be used', async () => {
    await cluster.startUnits(names, sleeper);
    const [runs, before] = [await recordRuns([host]), await fleetd()];
    await reloadWith(`${config}\nagent_ttl = soon\n`, 'fleetd goes on with the one before');
    assert.match(await journal(), /fleet\.conf:\d+: agent_ttl is \\"soon\\"/);
    assert.equal(await metadata(), `host=${host.name}`);
    await reloadWith(config, 'the configuration is as it was');
    // This is found out by components only.
    await host.mustExec(['mkdir', '--parents', '/var/lib/other/assignment.json']);
    await reloadWith(`${config}\nstate_directory = /var/lib/other\n`, 'registered');
    assert.match(await journal(), /fleetd goes on with the one before file=.* error=".*EISDIR/);
    assert.equal(await metadata(), `host=${host.name}`);
    await assertUntouched(runs, [host]);
    assert.deepEqual(await fleetd(), before);
  });

  it('takes it over while etcd is away, too', async () => {
    await cluster.startUnits(names, sleeper);
    const runs = await recordRuns([host]);
    await host.cutNetwork('silence');
    await reloadWith(`${config}\nmetadata = round=away\n`, 'Starting server components');
    assert.equal((await fleetctl(host, ['list-machines'])).code, 1);
    await host.healNetwork();
    await waitUntil({ what: 'the metadata is new', read: metadata, until: (now) => now === 'round=away' });
    await assertUntouched(runs, [host]);
  });

  it('says what it has in mind at a SIGUSR1', async () => {
    await cluster.startUnits(names, sleeper);
    await host.mustExec(['systemctl', 'kill', '--kill-who=main', '--signal=SIGUSR1', 'fleet.service']);
    const text = await waitUntil({
      what: 'fleetd has dumped its state',
      read: async () => /Dumping server state\n.*?(\{.*\})/.exec(await journal())?.[1] ?? '',
      until: (found) => found !== '',
    });
    const dump = JSON.parse(text) as Dump;
    assert.deepEqual(dump.Agent.Cache.TargetStates, Object.fromEntries(names.map((name) => [name, 'launched'])));
    assert.deepEqual(dump.UnitStateGenerator.Subscribed, names);
    const [state] = Object.values(dump.UnitStatePublisher.Cache);
    assert.deepEqual([state?.UnitName, state?.ActiveState, state?.MachineID], [names[0], 'active', host.machineId]);
  });

  it('leaves its cluster if it is stopped in the midst of that', async () => {
    await cluster.startUnits(names, sleeper);
    await host.writeFile(configFile, `${config}\nmetadata = round=last\n`);
    await host.mustExec(['sh', '-c', 'systemctl reload fleet.service; systemctl stop fleet.socket fleet.service']);
    const { ActiveState, Result } = await fleetd();
    assert.deepEqual([ActiveState, Result], ['inactive', 'success'], await journalsOf([host]));
    assert.deepEqual(await runningUnits(host), []);
    const key = `/_coreos.com/fleet/machines/${host.machineId}`;
    assert.equal(await cluster.lab.etcdctl(['get', key, '--keys-only']), '', 'the machine has left');
    await host.mustExec(['systemctl', 'start', 'fleet.socket']);
  });

  it('answers while it looks for an etcd, ends then, and takes one that it is told of', async () => {
    const fresh = 'state_directory = /var/lib/fresh\n';
    const stop = ['systemctl', 'stop', 'fleet.socket', 'fleet.service'];
    const start = ['systemctl', 'start', 'fleet.socket', 'fleet.service'];
    await host.mustExec(stop);
    await host.writeFile(configFile, fresh);
    await host.mustExec(start);
    const { code, stderr } = await fleetctl(host, ['list-machines']);
    assert.deepEqual([code, stderr.includes('fleet server unable to communicate with etcd')], [1, true], stderr);
    const curl = (path: string) =>
      host.mustExec(['curl', '--silent', '--unix-socket', '/run/fleet.sock', `http://l${path}`]);
    assert.deepEqual(JSON.parse(await curl('/readyz')), { ready: false, status: 'Looking for an etcd' });
    assert.match(await curl('/healthz'), /version/);
    await host.mustExec(stop);
    assert.equal((await fleetd()).Result, 'success');
    await host.mustExec(start);
    await reloadWith(`${fresh}${config}`, 'registered');
    assert.equal(await metadata(), `host=${host.name}`);
    await host.mustExec(stop);
    await host.mustExec(['systemctl', 'start', 'fleet.socket']);
  });
});

/** What of a dump is looked at. */
interface Dump {
  readonly Agent: { readonly Cache: { readonly TargetStates: object } };
  readonly UnitStatePublisher: { readonly Cache: Readonly<Record<string, Readonly<Record<string, string>>>> };
  readonly UnitStateGenerator: { readonly Subscribed: readonly string[] };
}

/** Asks a host's API for the machines, again and again. */
class Client {
  readonly #statuses: (number | string)[] = [];
  readonly #agent: Agent;
  readonly #asking: Promise<void>;
  #isOver = false;

  constructor(host: TestHost, options: { readonly keepAlive?: boolean } = {}) {
    this.#agent = new Agent({ ...options, maxSockets: 1 });
    this.#asking = this.#ask(endpointOf(host).replace('unix://', ''));
  }

  /** @returns What came of each request. */
  async end(): Promise<readonly (number | string)[]> {
    this.#isOver = true;
    await this.#asking;
    this.#agent.destroy();
    assert.ok(this.#statuses.length > 10, 'the client has asked');
    return this.#statuses;
  }

  async #ask(socketPath: string): Promise<void> {
    while (!this.#isOver) this.#statuses.push(await this.#statusOf(socketPath));
  }

  #statusOf(socketPath: string): Promise<number | string> {
    return new Promise((resolve) => {
      const asked = request({ socketPath, path: '/fleet/v1/machines', agent: this.#agent }, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
        response.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      });
      asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      asked.end();
    });
  }
}
