import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { fleetctl, labObstacle, mustFleetctl, type TestHost } from '../lab/index.js';
import { Cluster, pidsOf, sleeper, sleeperWith } from './cluster.js';

/** But for their conflicts, all would be on one machine. */
const packed = 'Strategy=binpack';
const conflicting = sleeperWith(packed, 'Conflicts=test-conflict-*.service');

/** Each test sets how many machines there are; from more to fewer, as each change of that costs a second. */
describe('units with rules on four hosts', { skip: labObstacle() }, () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await Cluster.start('scheduling', { hosts: 4 });
  });

  after(() => cluster.close());
  afterEach(() => cluster.reset());

  it('that conflict: when a machine leaves, its unit takes the free one, and the others run on', async () => {
    await cluster.resize(4);
    const names = numbered('test-conflict', 3);
    await cluster.startUnits(names, conflicting);
    const placed = await cluster.untilPlaced(names);
    const free = cluster.machines.filter((host) => ![...placed.values()].includes(host));
    assert.equal(free.length, 1, 'each has a machine of its own');
    const moved = 'test-conflict-1.service';
    const others = new Map([...placed].filter(([name]) => name !== moved));
    const pids = await pidsOf(others);
    await cluster.leave(hostOf(placed, moved));
    const expected = new Map([...placed, ...free.map((host) => [moved, host] as const)]);
    assert.deepEqual(await cluster.untilPlaced(names), expected);
    await cluster.assertRunning(expected);
    assert.deepEqual(await pidsOf(others), pids);
  });

  it('that conflict run one to a machine; the others wait for one, and say so', async () => {
    await cluster.resize(3);
    const names = numbered('test-conflict', 5);
    await cluster.start(same(names, conflicting), ['--no-block']);
    const [running, waiting] = [names.slice(0, 3), names.slice(3)];
    const placed = await cluster.untilPlaced(running);
    assert.equal(new Set(placed.values()).size, 3);
    for (const name of waiting)
      await cluster.untilWaiting(name, /3 machines: 1 conflicts with test-conflict-0.service/);
    assert.deepEqual(await cluster.unitFiles(), names);
    await cluster.assertRunning(placed);
    await mustFleetctl(cluster.anyHost, ['destroy', ...running.slice(0, 2)]);
    await cluster.assertRunning(await cluster.untilPlaced(names.slice(2)));
  });

  it('that name several conflicts, on one line or on several, run one to a machine', async () => {
    await cluster.resize(3);
    const names = numbered('test-several', 3);
    const oneLine = sleeperWith(packed, `Conflicts=${names.join(' ')}`);
    const severalLines = sleeperWith(packed, ...names.map((name) => `Conflicts=${name}`));
    await cluster.start({ ...same(names, oneLine), 'test-several-2.service': severalLines });
    const placed = await cluster.untilPlaced(names);
    assert.equal(new Set(placed.values()).size, 3);
    await cluster.assertRunning(placed);
  });

  it('run where MachineOf= has them, and go along when that one moves', async () => {
    await cluster.resize(3);
    const pairs = [0, 1, 2].map((number) => [`test-ping-${number}.service`, `test-pong-${number}.service`] as const);
    const pongs = pairs.map(([ping, pong]) => [pong, sleeperWith(`MachineOf=${ping}`)]);
    await cluster.start(Object.fromEntries(pongs), ['--no-block']);
    for (const [ping, pong] of pairs) await cluster.untilWaiting(pong, new RegExp(`waits for ${ping}`));
    const pings = pairs.map(([ping]) => ping);
    await cluster.startUnits(pings, sleeper);
    const together = async () => {
      const placed = await cluster.untilPlaced(pairs.flat());
      for (const [ping, pong] of pairs) assert.equal(placed.get(pong), placed.get(ping), `${pong} is with ${ping}`);
      await cluster.assertRunning(placed);
      return placed;
    };
    const placed = await together();
    const lost = hostOf(placed, 'test-ping-1.service');
    await cluster.leave(lost);
    const now = await together();
    for (const [name, host] of placed) assert.equal(now.get(name) === host, host !== lost, name);
  });

  it('run on the machine that MachineID= names, in full or in short', async () => {
    const machines = await cluster.resize(3);
    await mustFleetctl(cluster.anyHost, [
      'submit',
      await cluster.unitFile('test-pin@.service', sleeperWith('MachineID=%i')),
    ]);
    const ids = machines.map(({ machineId }, index) => (index === 0 ? machineId : machineId.slice(0, 8)));
    const names = ids.map((id) => `test-pin@${id}.service`);
    await mustFleetctl(cluster.anyHost, ['start', ...names]);
    const placed = await cluster.untilPlaced(names);
    assert.deepEqual([...placed.values()], machines);
    await cluster.assertRunning(placed);
    await mustFleetctl(cluster.anyHost, ['start', '--no-block', 'test-pin@ffffffff.service']);
    await cluster.untilWaiting('test-pin@ffffffff.service', /3 machines: 3 are not machine ffffffff/);
    // The leader tells from what it follows, the others read the cluster for it.
    const told = await Promise.all(
      machines.map((host) => fleetctl(host, ['explain', '-o', 'json', 'test-pin@ffffffff', ...names])),
    );
    assert.deepEqual(
      told.map(({ code }) => code),
      [2, 2, 2],
    );
    assert.equal(new Set(told.map(({ stdout }) => stdout)).size, 1);
    assert.equal(told[0]?.stdout.match(/"text": "is not machine ffffffff"/g)?.length, 3);
  });

  it('that are global and conflict: the first runs on every machine, the second on none until the first is gone', async () => {
    const machines = await cluster.resize(3);
    const [first, second] = ['test-global-0.service', 'test-global-1.service'];
    await cluster.start({ [first]: sleeperWith('Global=true', `Conflicts=${second}`) });
    for (const host of machines) await cluster.untilRunning(host, [first]);
    await cluster.start({ [second]: sleeperWith('Global=true', `Conflicts=${first}`) }, ['--no-block']);
    // Everything that every agent is told comes in order: when each runs this one, each has seen the second one, too.
    await cluster.start({ 'test-later.service': sleeperWith('Global=true') }, ['--no-block']);
    for (const host of machines) await cluster.untilRunning(host, [first, 'test-later.service']);
    await mustFleetctl(cluster.anyHost, ['destroy', first]);
    for (const host of machines) await cluster.untilRunning(host, [second, 'test-later.service']);
  });

  it('have them with specifiers, by the instance', async () => {
    const machines = await cluster.resize(3);
    const template = await cluster.unitFile('test-metadata@.service', sleeperWith('MachineMetadata=host=%i'));
    await mustFleetctl(cluster.anyHost, ['submit', template]);
    const nameOn = ({ name }: TestHost) => `test-metadata@${name}.service`;
    await mustFleetctl(cluster.anyHost, ['start', ...[...machines].reverse().map(nameOn)]);
    await cluster.assertRunning(new Map(machines.map((host) => [nameOn(host), host])));
    const invalid = 'test-metadata@invalid.service';
    const started = await fleetctl(cluster.anyHost, ['start', '--block-attempts=1', invalid]);
    assert.equal(started.code, 2, started.stdout + started.stderr);
    assert.match(started.stderr, /3 machines: 3 lack host=invalid/);
    const explained = await fleetctl(cluster.anyHost, ['explain', invalid]);
    assert.equal(explained.code, 2, explained.stdout + explained.stderr);
    for (const { machineId } of machines)
      assert.match(explained.stdout, new RegExp(`^${machineId.slice(0, 8)}.* no +lacks host=invalid`, 'm'));
  });

  it('move away for one that Replaces= them, which stays', async () => {
    await cluster.resize(2);
    const [replaced, ...others] = numbered('test-replace', 3);
    assert.ok(replaced);
    await cluster.start({ [replaced]: sleeper });
    const [one = '', two = ''] = others;
    await cluster.start({ [one]: sleeper, [two]: sleeperWith(`MachineOf=${one}`) });
    const placed = await cluster.untilPlaced([replaced, one, two]);
    const [former, other] = [hostOf(placed, replaced), hostOf(placed, one)];
    assert.notEqual(former, other);
    const kick = 'test-replace-kick.service';
    await cluster.start({ [kick]: sleeperWith(`Replaces=${replaced}`) });
    await cluster.assertRunning(new Map([...placed, [replaced, other], [kick, former]]));
  });

  it('that replace each other both run, and run on', async () => {
    await cluster.resize(2);
    const [one = '', two = ''] = numbered('test-circle', 2);
    await cluster.start({ [one]: sleeperWith(`Replaces=${two}`), [two]: sleeperWith(`Replaces=${one}`) });
    const placed = await cluster.untilPlaced([one, two]);
    assert.equal(new Set(placed.values()).size, 2);
    const pids = await pidsOf(placed);
    await cluster.start({ 'test-other.service': sleeper });
    assert.deepEqual(await cluster.untilPlaced([one, two]), placed);
    assert.deepEqual(await pidsOf(placed), pids);
  });

  it('that conflict one way only run one after the other on one machine', async () => {
    const [only] = await cluster.resize(1);
    assert.ok(only);
    const [shy, plain] = ['test-conflicts-with-plain.service', 'test-plain.service'];
    await cluster.start({ [shy]: sleeperWith(`Conflicts=${plain}`) });
    await cluster.start({ [plain]: sleeper }, ['--no-block']);
    await cluster.untilWaiting(plain, new RegExp(`1 machine: 1 conflicts with ${shy}`));
    await cluster.untilRunning(only, [shy]);
    await mustFleetctl(cluster.anyHost, ['destroy', shy]);
    await cluster.untilRunning(only, [plain]);
    assert.deepEqual(
      (await cluster.rows('test-')).map(({ unit }) => unit),
      [plain],
    );
  });

  it('stay where Replaces= can’t move them, until there is a machine for them', async () => {
    const [only] = await cluster.resize(1);
    assert.ok(only);
    const [replaced, kick] = ['test-replaced.service', 'test-replacing.service'];
    await cluster.start({ [replaced]: sleeper });
    await cluster.start({ [kick]: sleeperWith(`Replaces=${replaced}`) });
    const both = new Map([replaced, kick].map((name) => [name, only]));
    const pids = await pidsOf(both);
    await cluster.start({ 'test-other.service': sleeper });
    assert.deepEqual(await pidsOf(both), pids);
    const machines = await cluster.resize(2);
    const other = machines.find((host) => host !== only);
    assert.ok(other);
    await cluster.assertRunning(
      new Map([
        [replaced, other],
        [kick, only],
        ['test-other.service', only],
      ]),
    );
    assert.equal((await pidsOf(new Map([[kick, only]]))).get(kick), pids.get(kick));
  });
});

/** `<prefix>-0.service` and so on. */
function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, number) => `${prefix}-${number}.service`);
}

/** One text for all. */
function same(names: readonly string[], text: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, text]));
}

function hostOf(placed: ReadonlyMap<string, TestHost>, name: string): TestHost {
  const host = placed.get(name);
  assert.ok(host, `${name} has a machine`);
  return host;
}
