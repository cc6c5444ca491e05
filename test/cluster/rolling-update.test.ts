import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fleetctl, labObstacle, showUnits, type TestHost, waitUntil } from '../lab/index.js';
import { untilAnotherFleetd } from './another-fleetd.js';
import { Cluster } from './cluster.js';

const agent = 'test-agent.service';
const instances = ['test-web@1.service', 'test-web@2.service', 'test-web@3.service'];

/** How long a copy takes to stop. */
const stopUs = 300_000;

/** A service in a version, that is not active at once and takes its time to stop. */
function version(number: number, { isGlobal = false, command = '/bin/sleep infinity' } = {}): string {
  return `[Unit]
Description=version ${number}
[Service]
ExecStartPre=/bin/sleep 0.3
ExecStart=${command}
ExecStop=/bin/sleep ${stopUs / 1_000_000}
[X-Fleet]
Update=rolling
${isGlobal ? 'Global=true\n' : ''}`;
}

const global = (number: number, command?: string) =>
  version(number, { isGlobal: true, ...(command === undefined ? {} : { command }) });

/** What systemd says of a copy; times in microseconds on the kernel's clock, which hosts share. */
interface Copy {
  readonly host: TestHost;
  readonly active: string;
  readonly description: string;
  readonly invocation: string;
  readonly startedUs: number;
  readonly activeUs: number;
}

const properties = [
  ...['ActiveState', 'Description', 'InvocationID'],
  ...['InactiveExitTimestampMonotonic', 'ActiveEnterTimestampMonotonic'],
];

async function copyOn(host: TestHost, unit: string): Promise<Copy> {
  const [found] = await showUnits(host, properties, [unit]);
  const [active = '', description = '', invocation = '', started, up] = properties.map((name) => found?.get(name));
  return { host, active, description, invocation, startedUs: Number(started), activeUs: Number(up) };
}

describe('an update in turns', { skip: labObstacle() }, () => {
  let cluster: Cluster;

  before(async () => {
    // A fleetd that is killed has to be back before its lease has run out, also on two busy cores.
    cluster = await Cluster.start('rolling-update', { config: { agent_ttl: '8s' } });
  });

  after(() => cluster.close());

  const replace = (texts: Readonly<Record<string, string>>) => cluster.start(texts, ['--replace', '--no-block']);

  /** Waits until all copies of a unit are as they should be, by systemd's word on the hosts that are up. */
  const untilCopies = (unit: string, what: string, holds: (copies: readonly Copy[]) => boolean) =>
    waitUntil({
      what: `${unit}: ${what}`,
      read: () => Promise.all(cluster.lab.hosts.filter(({ isUp }) => isUp).map((host) => copyOn(host, unit))),
      until: holds,
      timeoutMs: 40_000,
      onTimeout: () => cluster.details(),
    });

  const untilAll = (number: number) =>
    untilCopies(agent, `version ${number} is active`, (copies) => copies.every((copy) => isActive(copy, number)));

  /** The machine that has the turn, by etcd. */
  const findHolder = async (group: string): Promise<TestHost | undefined> => {
    const key = `/_coreos.com/fleet/updates/${group}`;
    const text = await cluster.lab.etcdctl(['get', key, '--print-value-only']);
    const { machine } = JSON.parse(text || '{}') as { machine?: string };
    return cluster.lab.hosts.find(({ machineId }) => machineId === machine);
  };

  const untilHolder = async (group: string, isMeant: (host: TestHost | undefined) => boolean) =>
    await waitUntil({
      what: `another one has the turn of ${group}`,
      read: () => findHolder(group),
      until: isMeant,
      onTimeout: () => cluster.details(),
    });

  it('replaces the copies of a global unit, and the instances of a template, one after the other', async () => {
    await cluster.start(Object.fromEntries(instances.map((name) => [name, version(0)])));
    await cluster.start({ [agent]: global(0) });
    const placed = await cluster.untilPlaced(instances);
    const before = await untilAll(0);
    await replace({ ...Object.fromEntries(instances.map((name) => [name, version(1)])), [agent]: global(1) });
    const copies = await untilAll(1);
    assert.ok(copies.every(({ host, invocation }) => find(before, host).invocation !== invocation));
    await assertInTurn(copies);
    const replaced: Copy[] = [];
    for (const [unit, host] of placed) {
      const found = await untilCopies(unit, 'version 1 is active', (seen) => isActive(find(seen, host), 1));
      replaced.push(find(found, host));
    }
    await assertInTurn(replaced);
    for (const group of [agent, 'test-web@.service']) await untilHolder(group, (host) => host === undefined);
  });

  async function assertInTurn(copies: readonly Copy[]): Promise<void> {
    const inOrder = copies.toSorted((one, other) => one.startedUs - other.startedUs);
    for (const [index, copy] of inOrder.entries()) {
      const previous = inOrder[index - 1];
      const gapUs = previous === undefined ? stopUs : copy.startedUs - previous.activeUs;
      if (gapUs < stopUs) assert.fail(`the next one was stopped ${gapUs} us too soon\n${await cluster.details()}`);
    }
  }

  it('goes no further than a copy that fails, whatever becomes of its fleetd, and on when the file is changed', async () => {
    const before = await untilAll(1);
    await replace({ [agent]: global(2, '/bin/false') });
    const isFailed = ({ active }: Copy) => active === 'failed';
    const { host } = findBy(await untilCopies(agent, 'one has failed', (copies) => copies.some(isFailed)), isFailed);
    await untilAnotherFleetd(host, ['systemctl', 'kill', '--kill-who=main', '--signal=SIGKILL', 'fleet.service']);
    await waitUntil({
      what: `${host.name} answers again`,
      read: () => fleetctl(host, ['list-machines']),
      until: ({ code }) => code === 0,
    });
    await cluster.startUnits(['test-other.service'], version(0));
    assert.equal(await findHolder(agent), host);
    for (const copy of await untilCopies(agent, 'seen', () => true))
      if (copy.host !== host) assert.equal(copy.invocation, find(before, copy.host).invocation);
    await replace({ [agent]: global(1) });
    for (const copy of await untilAll(1))
      if (copy.host !== host) assert.equal(copy.invocation, find(before, copy.host).invocation);
  });

  it('goes on with a fleetd that is killed amid it, and past a host that loses its power', async () => {
    await untilHolder(agent, (host) => host === undefined);
    await replace({ [agent]: global(3) });
    const first = await untilHolder(agent, (host) => host !== undefined);
    assert.ok(first);
    await first.mustExec(['systemctl', 'kill', '--kill-who=main', '--signal=SIGKILL', 'fleet.service']);
    const second = await untilHolder(agent, (host) => host !== undefined && host !== first);
    assert.ok(second);
    assert.ok(isActive(await copyOn(first, agent), 3));
    await second.powerCut();
    await untilAll(3);
    await second.boot();
    await assertInTurn((await untilAll(3)).filter(({ host }) => host !== second));
    await untilHolder(agent, (host) => host === undefined);
  });
});

function isActive({ active, description }: Copy, number: number): boolean {
  return active === 'active' && description === `version ${number}`;
}

function findBy(copies: readonly Copy[], isMeant: (copy: Copy) => boolean): Copy {
  const copy = copies.find(isMeant);
  assert.ok(copy);
  return copy;
}

function find(copies: readonly Copy[], host: TestHost): Copy {
  return findBy(copies, (copy) => copy.host === host);
}
