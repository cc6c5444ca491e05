import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { after, afterEach, before, describe, it } from 'node:test';
import {
  endpointOf,
  fleetctl,
  journalsOf,
  labObstacle,
  mustFleetctl,
  showUnits,
  type TestHost,
  waitUntil,
} from '../lab/index.js';
import { Cluster, sleeper } from './cluster.js';
import { assertUntouched, recordRuns } from './unit-runs.js';

const configFile = '/etc/fleet/fleet.conf';
const reload = ['systemctl', 'reload', 'fleet.service'];
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
  const fleetd = async () => {
    const [shown] = await showUnits(host, ['MainPID', 'InvocationID', 'ActiveState', 'Result'], ['fleet.service']);
    return Object.fromEntries(shown ?? []);
  };

  /** How often fleetd's journal has a text. */
  const count = async (text: string) => (await journalsOf([host])).split(text).length - 1;

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
    await reloadWith(`${config}\ntoken_limit = 50\n`, 'registered');
    const journal = await journalsOf([host]);
    assert.match(
      journal,
      new RegExp(`Reloading configuration from ${configFile}\n(?:.*\n)*.*Restarting server components\n`),
    );
    assert.doesNotMatch(journal, /Failed serving HTTP on listener:/);
    assert.equal((await fleetctl(host, ['list-units'])).code, 0);
    assert.deepEqual(await fleetd(), before);
    assert.deepEqual([before['ActiveState'], before['Result']], ['active', 'success']);
  });

  it('answers each request, changes no unit, and has the new options', async () => {
    await cluster.startUnits(names, sleeper);
    const [runs, before] = [await recordRuns([host]), await fleetd()];
    const clients = [new Client(host), new Client(host), new Client(host, { keepAlive: true })];
    for (let round = 1; round <= 10; round++) {
      await reloadWith(`${config}\nmetadata = round=${round}\n`, 'registered');
    }
    const statuses = await Promise.all(clients.map((client) => client.end()));
    assert.deepEqual([...new Set(statuses.flat())], [200]);
    assert.equal(await metadata(), 'round=10');
    await reloadWith(config, 'registered');
    assert.equal(await metadata(), `host=${host.name}`);
    await assertUntouched(runs, [host]);
    assert.deepEqual(await fleetd(), before);
  });
});

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
