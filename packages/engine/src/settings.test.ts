import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import { encodeRecord, keys } from '@flotilla/registry';
import { TestCluster } from './test-cluster.js';

/** What the API writes. */
class SettingsCluster extends TestCluster {
  async put(key: string, record: object): Promise<void> {
    await this.write({ kind: 'put', key, value: encodeRecord(record) });
    await this.settle();
  }

  async drop(key: string): Promise<void> {
    await this.write({ kind: 'delete', from: key });
    await this.settle();
  }

  metadata(machine: string, key: string, value: string): Promise<void> {
    return this.put(keys.metadata(parseMachineId(machine), key), { value });
  }

  limit(machine: string, maxUnits: number): Promise<void> {
    return this.put(keys.machineSettings(parseMachineId(machine)), { maxUnits });
  }

  set(key: string, value: string): Promise<void> {
    return this.put(keys.setting(key), { value });
  }

  /** Placements and schedule, after a unit that leaves a machine has left it. */
  async layoutWithout(unit: string, machine: string): Promise<string[]> {
    await this.acknowledge(unit, machine);
    await this.settle();
    return this.layout();
  }
}

async function withCluster(body: (cluster: SettingsCluster) => Promise<void>): Promise<void> {
  const cluster = new SettingsCluster();
  try {
    await body(cluster);
  } finally {
    await cluster.close();
  }
}

/** Which machine each unit is placed on. */
async function places(cluster: TestCluster): Promise<string[]> {
  return (await cluster.layout()).filter((line) => line.includes('>'));
}

const needsDb = 'MachineMetadata=role=db';

test('metadata that is set moves a unit that no longer fits', () =>
  withCluster(async (cluster) => {
    await cluster.join('m1', { metadata: { role: 'db' } });
    await cluster.join('m2');
    await cluster.lead();
    await cluster.submit('a.service', { fleet: needsDb });
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), ['a.service > m1', 'a.service @ m1']);
    await cluster.report('a.service', 'm1');
    await cluster.metadata('m2', 'role', 'db');
    await cluster.metadata('m1', 'role', 'web');
    assert.deepEqual(await cluster.layout(), ['a.service @ m1 leaving']);
    assert.deepEqual(await cluster.layoutWithout('a.service', 'm1'), ['a.service > m2', 'a.service @ m2']);
  }));

test('metadata that is set has a unit placed that waits, and hiding it has one wait', () =>
  withCluster(async (cluster) => {
    await cluster.join('m1');
    await cluster.lead();
    await cluster.submit('a.service', { fleet: needsDb });
    await cluster.settle();
    assert.deepEqual((await cluster.findReason('a.service'))?.misfits, { 'missing-metadata:role=db': 1 });
    await cluster.metadata('m1', 'role', 'db');
    assert.deepEqual(await cluster.layout(), ['a.service > m1', 'a.service @ m1']);
    await cluster.report('a.service', 'm1');
    await cluster.metadata('m1', 'role', '');
    assert.deepEqual(await cluster.layoutWithout('a.service', 'm1'), []);
    await cluster.drop(keys.metadata(parseMachineId('m1'), 'role'));
    assert.deepEqual(await places(cluster), []);
  }));

test("hidden metadata of a machine's own is back when what hides it is gone", () =>
  withCluster(async (cluster) => {
    await cluster.metadata('m1', 'role', '');
    await cluster.join('m1', { metadata: { role: 'db' } });
    await cluster.lead();
    await cluster.submit('a.service', { fleet: needsDb });
    await cluster.settle();
    assert.deepEqual(await places(cluster), []);
    await cluster.drop(keys.metadata(parseMachineId('m1'), 'role'));
    assert.deepEqual(await places(cluster), ['a.service > m1']);
  }));

test('metadata that is set on a machine before it is there counts when it comes', () =>
  withCluster(async (cluster) => {
    await cluster.lead();
    await cluster.metadata('m1', 'role', 'db');
    await cluster.submit('a.service', { fleet: needsDb });
    await cluster.join('m1');
    await cluster.settle();
    assert.deepEqual(await places(cluster), ['a.service > m1']);
  }));

test('another strategy places new units otherwise, and moves none', () =>
  withCluster(async (cluster) => {
    for (const machine of ['m1', 'm2']) await cluster.join(machine);
    await cluster.lead();
    for (const unit of ['a.service', 'b.service']) await cluster.submit(unit);
    await cluster.settle();
    assert.deepEqual(await places(cluster), ['a.service > m1', 'b.service > m2']);
    await cluster.set('strategy', 'binpack');
    assert.deepEqual(await places(cluster), ['a.service > m1', 'b.service > m2']);
    for (const unit of ['c.service', 'd.service']) await cluster.submit(unit);
    await cluster.settle();
    const packed = ['a.service > m1', 'b.service > m2', 'c.service > m1', 'd.service > m1'];
    assert.deepEqual(await places(cluster), packed);
    await cluster.drop(keys.setting('strategy'));
    await cluster.submit('e.service');
    await cluster.settle();
    assert.deepEqual(await places(cluster), [...packed, 'e.service > m2']);
  }));

test("a machine's limit is what it was told, else its own, else the one of all", () =>
  withCluster(async (cluster) => {
    await cluster.join('m1', { maxUnits: 2 });
    await cluster.lead();
    for (const unit of ['a', 'b', 'c', 'd', 'e']) await cluster.submit(`${unit}.service`);
    await cluster.settle();
    assert.equal((await places(cluster)).length, 2);
    assert.deepEqual((await cluster.findReason('c.service'))?.misfits, { 'machine-full': 1 });
    await cluster.limit('m1', 3);
    assert.equal((await places(cluster)).length, 3);
    await cluster.set('max_units', '4');
    assert.equal((await places(cluster)).length, 3);
    await cluster.drop(keys.machineSettings(parseMachineId('m1')));
    await cluster.join('m1');
    await cluster.settle();
    assert.equal((await places(cluster)).length, 4);
    await cluster.drop(keys.setting('max_units'));
    assert.equal((await places(cluster)).length, 5);
  }));

test('a lower limit takes nothing away', () =>
  withCluster(async (cluster) => {
    await cluster.join('m1');
    await cluster.join('m2');
    await cluster.lead();
    for (const unit of ['a', 'b', 'c', 'd']) await cluster.submit(`${unit}.service`);
    await cluster.settle();
    const before = await cluster.layout();
    await cluster.set('max_units', '1');
    assert.deepEqual(await cluster.layout(), before);
  }));

test('what can not be used is told once, and the default holds', () =>
  withCluster(async (cluster) => {
    await cluster.join('m1', { metadata: { role: 'db' }, maxUnits: 0 });
    await cluster.lead('e1', { auditIntervalMs: 1000 });
    await cluster.set('strategy', 'best');
    await cluster.put(keys.setting('max_units'), { value: 3 });
    await cluster.limit('m1', -1);
    await cluster.put(keys.metadata(parseMachineId('m1'), 'role'), {});
    await cluster.submit('a.service', { fleet: needsDb });
    await cluster.clock.advance(5000);
    assert.deepEqual(await places(cluster), ['a.service > m1']);
    const told = cluster.lines.filter(({ message }) => message.startsWith('unreadable record'));
    assert.deepEqual(told.map(({ fields }) => fields?.key).sort(), [
      'metadata/m1/role',
      'settings/machines/m1',
      'settings/max_units',
      'settings/strategy',
    ]);
    assert.match(
      String(told.find(({ fields }) => fields?.key === 'settings/strategy')?.fields?.error),
      /strategy is "best".*the default holds/,
    );
  }));

test('a new leader finds what was set', () =>
  withCluster(async (cluster) => {
    for (const machine of ['m1', 'm2', 'm3']) await cluster.join(machine);
    await cluster.set('strategy', 'binpack');
    await cluster.limit('m1', 1);
    await cluster.metadata('m2', 'role', 'db');
    await cluster.lead();
    for (const unit of ['a', 'b', 'c']) await cluster.submit(`${unit}.service`);
    await cluster.submit('d.service', { fleet: needsDb });
    await cluster.settle();
    assert.deepEqual(await places(cluster), ['a.service > m1', 'b.service > m2', 'c.service > m2', 'd.service > m2']);
  }));

test('the brake goes by the settings, also by one that comes while it holds', () =>
  withCluster(async (cluster) => {
    await cluster.register('m1', 'm2', 'm3');
    await cluster.lead();
    for (const unit of ['a', 'b', 'c']) await cluster.submit(`${unit}.service`);
    await cluster.settle();
    const before = await places(cluster);
    await cluster.set('loss_burst', '100%');
    for (const machine of ['m1', 'm2']) await cluster.lose(machine);
    await cluster.clock.advance(120_000);
    assert.deepEqual(await cluster.losses(), ['m1 brake', 'm2 brake']);
    assert.deepEqual(await places(cluster), before);
    await cluster.set('loss_brake', '100%');
    await cluster.clock.advance(120_000);
    assert.deepEqual(await cluster.losses(), ['m1 lost', 'm2 lost']);
    assert.deepEqual(await places(cluster), ['a.service > m3', 'b.service > m3', 'c.service > m3']);
  }));
