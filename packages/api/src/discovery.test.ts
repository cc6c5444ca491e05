import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MachineId } from '@flotilla/cluster';
import { keys, StoreInspector } from '@flotilla/registry';
import {
  alarmSchema,
  lossSchema,
  machinePageSchema,
  machineSchema,
  unitOptionSchema,
  unitPageSchema,
  unitSchema,
  unitStatePageSchema,
  unitStateSchema,
} from '@flotilla/schema';
import { parseUnitName } from '@flotilla/unit';
import { errorText, sleeper, TestApi } from './api-harness.js';
import { type DiscoveryMethod, discoveryDocument } from './discovery.js';
import type { DiscoverySchema } from './discovery-schemas.js';

const schemas: Readonly<Record<string, DiscoverySchema>> = discoveryDocument.schemas;
const { Machines, Units, UnitState } = discoveryDocument.resources;
const methods: readonly DiscoveryMethod[] = [Machines, Units, UnitState].flatMap((each) => Object.values(each.methods));
const methodOf = (id: string) => methods.find((each) => each.id === id) ?? assert.fail(id);

/** What a client that knows nothing but the document sends. */
function requestOf({ httpMethod, path }: DiscoveryMethod, values: Readonly<Record<string, string>>, body?: unknown) {
  const inPath = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
  const query = Object.entries(values).filter(([name]) => !path.includes(`{${name}}`));
  const url = `/${discoveryDocument.servicePath}${inPath}?${new URLSearchParams(query).toString()}`;
  return { method: httpMethod, url, ...(body === undefined ? {} : { body }) };
}

/** Fails unless `value` is what the schema says, and nothing else is in it. */
function assertFits(value: unknown, schema: DiscoverySchema, where = ''): void {
  const { $ref, type, items, properties, additionalProperties, enum: words } = schema;
  if ($ref !== undefined) {
    assertFits(value, schemas[$ref] ?? assert.fail(`${where}: ${$ref}`), where);
    return;
  }
  if (words !== undefined) assert.ok(words.includes(String(value)), `${where}: ${String(value)}`);
  if (type === 'array' && items !== undefined && Array.isArray(value))
    for (const [at, each] of value.entries()) assertFits(each, items, `${where}[${at}]`);
  else if (type === 'object') {
    for (const [key, each] of Object.entries(Object(value)))
      assertFits(each, properties?.[key] ?? additionalProperties ?? assert.fail(`${where}.${key}`), `${where}.${key}`);
  } else assert.equal(typeof value, type === 'integer' ? 'number' : type, where);
}

/** A cluster in which everything that can be told is told. */
async function fullCluster(): Promise<TestApi> {
  const api = new TestApi({ pageLimit: 1 });
  const alarm = { code: 'store-quota', member: 'http://etcd', message: 'full' } as const;
  const inspector = Object.assign(new StoreInspector({ store: api.store, clock: api.clock }), {
    inspect: async () => ({ alarms: [alarm] }),
  });
  const full = new TestApi({ pageLimit: 1, store: api.store, inspector });
  const own = { version: '1.2.3', instance: 'i', boot: 'b', maxUnits: 5, frozen: 'why' };
  const m1 = 'm1' as MachineId;
  await api.write(keys.machine(m1), { ...own, address: '10.0.0.1', metadata: { role: 'db' } });
  await api.write(keys.machine('m2' as MachineId), { ...own, address: '10.0.0.2', metadata: {} });
  await api.write(keys.loss('m3' as MachineId), { state: 'grace', address: '10.0.0.3', since: 1, at: 2, units: 2 });
  for (const name of ['a.service', 'b.service']) {
    await api.put(name, { options: sleeper(), desiredState: 'launched' });
    await api.place(name, 'm1');
    await api.reportState(name, 'm1', { error: 'late', waitsFor: 'turn' });
  }
  await api.put('w.service', { options: sleeper(), desiredState: 'launched' });
  await api.write(keys.reason(parseUnitName('w.service')), { since: 1, machines: 0, misfits: {} });
  return full;
}

describe('the discovery document', () => {
  for (const prefix of ['/fleet/v1', '/v1-alpha'])
    test(`is at ${prefix}/discovery, for people to read`, async () => {
      const { status, headers, body } = await new TestApi().send({ url: `${prefix}/discovery` });
      assert.deepEqual([status, headers['Content-Type']], [200, 'application/json']);
      assert.equal(body, JSON.stringify(JSON.parse(body), undefined, 2));
      assert.deepEqual(JSON.parse(body), discoveryDocument);
    });

  test('says of itself what fleet’s says', () => {
    const { schemas: _, resources: __, description: ___, ...head } = discoveryDocument;
    assert.deepEqual(head, {
      kind: 'discovery#restDescription',
      discoveryVersion: 'v1',
      id: 'fleet:v1',
      name: 'schema',
      version: 'v1',
      title: 'fleet API',
      protocol: 'rest',
      baseUrl: '$ENDPOINT/fleet/v1/',
      basePath: '/fleet/v1/',
      rootUrl: '$ENDPOINT/',
      servicePath: 'fleet/v1/',
      batchPath: 'batch',
      parameters: {},
      auth: {},
      labels: [],
      icons: {},
    });
  });

  test('can only be got', async () => {
    const response = await new TestApi().send({ method: 'POST', url: '/fleet/v1/discovery' });
    assert.equal(response.status, 405);
    assert.equal(errorText(response), 'only HTTP GET supported against this resource');
    assert.equal(response.headers.Allow, 'GET');
  });

  test('has the fields that the API’s own checks have, and no others', () => {
    const checked = {
      Alarm: alarmSchema,
      Loss: lossSchema,
      Machine: machineSchema,
      MachinePage: machinePageSchema,
      Unit: unitSchema,
      UnitOption: unitOptionSchema,
      UnitPage: unitPageSchema,
      UnitState: unitStateSchema,
      UnitStatePage: unitStatePageSchema,
    };
    for (const [name, { shape }] of Object.entries(checked))
      assert.deepEqual(Object.keys(schemas[name]?.properties ?? {}).sort(), Object.keys(shape).sort(), name);
  });

  test('leads to every route of v1', () => {
    const described = methods.map(({ httpMethod, path }) => `${httpMethod} ${path}`);
    assert.deepEqual(described.sort(), [
      'DELETE units/{unitName}',
      'GET machines',
      'GET state',
      'GET state/{unitName}',
      'GET units',
      'GET units/{unitName}',
      'PATCH machines',
      'PUT units/{unitName}',
    ]);
  });
});

describe('a client made from the discovery document', () => {
  const readings: readonly (readonly [id: string, values: Readonly<Record<string, string>>, has: string[]])[] = [
    ['fleet.Machine.List', {}, ['alarms', 'losses', 'machines', 'nextPageToken']],
    ['fleet.Unit.List', {}, ['nextPageToken', 'units']],
    [
      'fleet.Unit.Get',
      { unitName: 'a.service' },
      ['currentState', 'desiredState', 'file', 'fileHash', 'machineID', 'name', 'options'],
    ],
    [
      'fleet.Unit.Get',
      { unitName: 'w.service' },
      ['currentState', 'desiredState', 'file', 'fileHash', 'name', 'options', 'reason', 'waitingSince'],
    ],
    ['fleet.UnitState.List', {}, ['nextPageToken', 'states']],
    ['fleet.UnitState.List', { unitName: 'b.service', machineID: 'm1' }, ['states']],
    ['fleet.UnitState.Get', { unitName: 'a.service' }, Object.keys(schemas.UnitState?.properties ?? {})],
  ];
  for (const [id, values, has] of readings)
    test(`reads with ${id} ${JSON.stringify(values)} what it was told to expect`, async () => {
      const method = methodOf(id);
      const { status, body } = await (await fullCluster()).send(requestOf(method, values));
      assert.equal(status, 200, body);
      const answer: unknown = JSON.parse(body);
      assert.deepEqual(Object.keys(Object(answer)), has);
      assertFits(answer, method.response ?? assert.fail('it answers nothing'), id);
      for (const name of Object.keys(values)) assert.ok(method.parameters?.[name] !== undefined, name);
    });

  test('goes from page to page', async () => {
    const api = await fullCluster();
    const method = methodOf('fleet.Unit.List');
    const first = unitPageSchema.parse(JSON.parse((await api.send(requestOf(method, {}))).body));
    const { body } = await api.send(requestOf(method, { nextPageToken: first.nextPageToken ?? '' }));
    assert.deepEqual(
      unitPageSchema.parse(JSON.parse(body)).units?.map(({ name }) => name),
      ['b.service'],
    );
  });

  test('changes what it was told that it can', async () => {
    const api = await fullCluster();
    const unit = { desiredState: 'loaded', name: 'n.service', options: sleeper() };
    const patch = [{ op: 'add', path: '/m1/metadata/rack', value: '7' }];
    const changes = [
      ['fleet.Unit.Set', { unitName: 'n.service' }, unit, 201],
      ['fleet.Unit.Delete', { unitName: 'n.service' }, undefined, 204],
      ['fleet.Machine.Patch', {}, patch, 204],
    ] as const;
    for (const [id, values, body, status] of changes) {
      const method = methodOf(id);
      if (method.request !== undefined) assertFits(body, method.request, id);
      assert.equal((await api.send(requestOf(method, values, body))).status, status, id);
    }
  });
});
