import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { fleetctl, labObstacle, mustFleetctl, type TestHost, untilMachines, waitUntil } from '../lab/index.js';
import { Cluster, sleeper, sleeperWith } from './cluster.js';
import { placedByEtcd } from './placed-by-etcd.js';

const names = Array.from({ length: 6 }, (_, index) => `test-${index + 1}.service`);

describe('units on three hosts that change', { skip: labObstacle() }, () => {
  let cluster: Cluster;
  let one: TestHost;
  let two: TestHost;
  let three: TestHost;

  before(async () => {
    cluster = await Cluster.start('movement');
    const [first, second, third] = cluster.machines;
    assert.ok(first && second && third);
    [one, two, three] = [first, second, third];
  });

  after(() => cluster.close());
  afterEach(() => cluster.reset());

  /** What list-machines says besides its rows. */
  const remarks = async () => (await fleetctl(one, ['list-machines'])).stderr;

  /** Has the last two hosts gone at once, and nothing concluded from it. @returns Where the units are all the same. */
  const loseTwo = async (): Promise<Map<string, TestHost>> => {
    await cluster.startUnits(names, sleeper);
    const placed = await cluster.untilPlaced(names);
    const decided = await placedByEtcd(cluster);
    await Promise.all([two.powerCut(), three.powerCut()]);
    const told = [two, three].map(({ machineId }) => machineId.slice(0, 8));
    await waitUntil({
      what: 'list-machines says that both are gone, and keep their units',
      read: remarks,
      until: (text) =>
        text.split('\n').some((line) => /nothing is moved/.test(line) && told.every((id) => line.includes(id))),
      onTimeout: () => cluster.details(),
    });
    assert.deepEqual(await placedByEtcd(cluster), decided);
    await cluster.untilRunning(
      one,
      names.filter((name) => placed.get(name) === one),
    );
    return placed;
  };

  const powerOn = async (): Promise<void> => {
    await Promise.all([two.boot(), three.boot()]);
    for (const host of cluster.machines) await untilMachines(host, cluster.machines);
    await waitUntil({ what: 'list-machines has nothing more to say', read: remarks, until: (text) => text === '' });
  };

  it('go where the metadata are by now', async () => {
    const setMetadata = (host: TestHost, pair: string) =>
      mustFleetctl(one, ['machine', 'metadata', 'set', host.machineId, pair]);
    const unsetMetadata = (host: TestHost, key: string) =>
      mustFleetctl(one, ['machine', 'metadata', 'unset', host.machineId, key]);
    const [unit, global] = ['test-db.service', 'test-global.service'];
    const rule = 'MachineMetadata=role=db';
    const texts = { [unit]: sleeperWith(rule), [global]: sleeperWith('Global=true', rule) };
    await cluster.start(texts, ['--no-block']);
    await cluster.untilWaiting(unit, /3 machines: 3 lack role=db/);
    await setMetadata(two, 'role=db');
    await cluster.untilRunning(two, [unit, global]);
    await setMetadata(three, 'role=db');
    await cluster.untilRunning(three, [global]);
    await cluster.untilRunning(two, [unit, global]);
    await unsetMetadata(two, 'role');
    await cluster.untilRunning(three, [unit, global]);
    await cluster.untilRunning(two, []);
    await unsetMetadata(three, 'role');
    await cluster.untilWaiting(unit, /3 machines: 3 lack role=db/);
    for (const host of cluster.machines) await cluster.untilRunning(host, []);
  });

  it('stay with most machines when these are gone at once, and move when an operator says so, for good', async () => {
    const placed = await loseTwo();
    const said = await mustFleetctl(one, ['machine', 'release', '--all']);
    for (const { machineId } of [two, three]) assert.ok(said.includes(machineId), said);
    const now = new Map([...placed.keys()].map((name) => [name, one]));
    assert.deepEqual(await cluster.untilPlaced(names), now);
    await powerOn();
    await cluster.assertRunning(now);
  });

  it('run again where they were when power is back', async () => {
    const placed = await loseTwo();
    await powerOn();
    await cluster.assertRunning(placed);
    assert.deepEqual(await cluster.untilPlaced(names), placed);
  });
});
