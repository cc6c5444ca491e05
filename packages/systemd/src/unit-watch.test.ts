import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { type Clock, type Logger, silentLogger, sleep, systemClock, TestClock } from '@flotilla/runtime';
import { parseUnitName } from '@flotilla/unit';
import { Systemctl } from './systemctl.js';
import { TestBus } from './test-bus.js';
import type { UnitStatus } from './unit-manager.js';
import { UnitWatch } from './unit-watch.js';

const [a, b] = [parseUnitName('a.service'), parseUnitName('b.service')];
const running: UnitStatus = { load: 'loaded', active: 'active', sub: 'running', job: undefined };
const failed: UnitStatus = { load: 'loaded', active: 'failed', sub: 'failed', job: undefined };
const starting: UnitStatus = { ...running, active: 'activating', sub: 'start', job: 'start' };

const connected = 'changes of units are learned by D-Bus signals';
const lost = 'D-Bus can not be reached; changes of units are looked for by systemctl';

let bus: TestBus;
let said: string[];
let told: number;
let programs: number;
const watches: UnitWatch[] = [];

beforeEach(async () => {
  [said, told, programs] = [[], 0, 0];
  bus = await TestBus.create();
  for (const name of [a, b]) bus.units.set(name, running);
});

afterEach(async () => {
  for (const watch of watches.splice(0)) watch.close();
  await bus.close();
});

function open(clock: Clock = systemClock, busSocket = bus.socket): UnitWatch {
  const say = (message: string) => said.push(message);
  const log: Logger = { ...silentLogger, info: say, warn: say };
  const run = async () => {
    programs++;
    const rows = [a, b].map((unit) => ({ unit, load: 'loaded', active: 'active', sub: 'running' }));
    return { exitCode: 0, stdout: JSON.stringify(rows), stderr: '' };
  };
  const watch = new UnitWatch({ systemctl: new Systemctl({ user: false, run }), busSocket, clock, log });
  watch.onChange(() => told++);
  watches.push(watch);
  return watch;
}

/** Everything here takes a few milliseconds; a minute is for ever. */
async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let waitedMs = 0; !isSo(); waitedMs += 5) {
    assert.ok(waitedMs < 60_000, `still waiting until ${what}; said: ${said.join(', ')}`);
    await sleep(systemClock, 5);
  }
}

async function openWithSignals(): Promise<UnitWatch> {
  await bus.start();
  const watch = open();
  await until('signals come', () => said.includes(connected));
  await watch.list([a, b]);
  assert.deepEqual(bus.listings, [[a, b]]);
  told = 0;
  return watch;
}

test('a signal wakes, and only its unit is asked for again', async () => {
  const watch = await openWithSignals();
  assert.deepEqual([...(await watch.list([a, b])).values()], [running, running]);
  assert.equal(bus.listings.length, 1);
  bus.units.set(a, failed);
  bus.change('a_2eservice');
  await until('the change is told', () => told > 0);
  assert.deepEqual([...(await watch.list([a, b])).values()], [failed, running]);
  bus.endJob(b);
  await until('the end of the job is told', () => told > 1);
  await watch.list([a, b]);
  assert.deepEqual(bus.listings, [[a, b], [a], [b]]);
  assert.equal(programs, 0);
});

test('nobody is told of units that nobody has asked for', async () => {
  await openWithSignals();
  bus.change('other_2eservice');
  bus.change('a_2eservice');
  await until('the other is told', () => told > 0);
  assert.equal(told, 1);
});

test('a signal that comes while systemd is asked is not lost', async () => {
  const watch = await openWithSignals();
  watch.doubt();
  bus.onListing = () => bus.change('a_2eservice');
  await watch.list([a, b]);
  await until('the signal is told', () => told > 0);
  bus.onListing = () => {};
  await watch.list([a, b]);
  assert.deepEqual(bus.listings, [[a, b], [a, b], [a]]);
});

test('a signal that never came is made up for by doubt', async () => {
  const watch = await openWithSignals();
  bus.units.set(a, failed);
  assert.deepEqual((await watch.list([a])).get(a), running);
  watch.doubt();
  assert.deepEqual((await watch.list([a])).get(a), failed);
});

test('an action leaves its units in doubt, and so does a reload of all', async () => {
  const watch = await openWithSignals();
  await watch.during([b], async () => {});
  await watch.list([a, b]);
  bus.reload();
  await until('the reload is told', () => told > 0);
  await watch.list([a, b]);
  assert.deepEqual(bus.listings, [[a, b], [b], [a, b]]);
});

for (const [what, goes, comes] of [
  ['the bus', () => bus.stop(), () => bus.start()],
  ['systemd', () => bus.stopSystemd(), () => bus.startSystemd()],
] as const)
  test(`when ${what} goes and comes back, both is said once, and all units are asked for by what there is`, async () => {
    const watch = await openWithSignals();
    await goes();
    await until('the loss is said', () => said.includes(lost));
    assert.ok(told > 0);
    await watch.list([a, b]);
    assert.ok(programs > 0);
    told = 0;
    await comes();
    await until('signals come again', () => told > 0 && said.length >= 3);
    assert.deepEqual(said, [connected, lost, connected]);
    await watch.list([a, b]);
    assert.deepEqual(bus.listings, [
      [a, b],
      [a, b],
    ]);
    bus.change('a_2eservice');
    const before = told;
    await until('a change is told', () => told > before);
  });

test('without a bus this is said once, and units are looked at every two seconds', async () => {
  const clock = new TestClock();
  const watch = open(clock);
  await watch.list([a]);
  await until('it is said', () => said.length > 0);
  programs = 0;
  await clock.advance(60_000);
  assert.deepEqual([said, programs], [[lost], 30]);
});

test('a bus that takes calls and never answers is none after ten seconds', async () => {
  const mute = createServer().listen(`${bus.socket}-mute`);
  await once(mute, 'listening');
  const connections: { destroy(): void }[] = [];
  mute.on('connection', (socket) => connections.push(socket));
  const clock = new TestClock();
  const watch = open(clock, `${bus.socket}-mute`);
  await until('it is connected', () => connections.length > 0);
  assert.deepEqual((await watch.list([a])).get(a), running);
  await clock.advance(10_000);
  await until('it is said', () => said.includes(lost));
  watch.close();
  for (const connection of connections) connection.destroy();
  mute.close();
});

test('a large batch is looked at, and its end is seen at the end of its last job; then signals tell again', async () => {
  const watch = await openWithSignals();
  const names = Array.from({ length: 51 }, (_, index) => parseUnitName(`u${index}.service`));
  await watch.list(names);
  bus.listings.length = 0;
  await watch.queueJobs(names, async () => {
    for (const name of names) bus.units.set(name, starting);
  });
  assert.ok([...(await watch.list(names)).values()].every(({ job }) => job === 'start'));
  for (const name of names) {
    bus.units.set(name, running);
    bus.endJob(name);
  }
  await until('the end is told', () => told > 0);
  assert.ok([...(await watch.list(names)).values()].every(({ job }) => job === undefined));
  assert.ok(bus.listings.length < names.length, `${bus.listings.length} listings`);
  await until('signals are trusted again', () => told > 1);
  await watch.list(names);
  bus.listings.length = 0;
  await watch.list(names);
  bus.change('u0_2eservice');
  const before = told;
  await until('a change is told', () => told > before);
  await watch.list(names);
  assert.deepEqual(bus.listings, [[names[0]]]);
});
