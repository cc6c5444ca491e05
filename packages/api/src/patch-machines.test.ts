import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineId } from '@flotilla/cluster';
import { keys } from '@flotilla/registry';
import { errorText, TestApi } from './api-harness.js';
import type { ApiResponse } from './request.js';

/** Two machines, as the functional tests of fleet have them. */
async function openApi() {
  const api = new TestApi();
  for (const id of ['m0', 'm1'])
    await api.write(keys.machine(id as MachineId), {
      address: `10.0.0.${id}`,
      metadata: { hostname: id },
      version: '',
    });
  const patch = (body: unknown, headers: Readonly<Record<string, readonly string[]>> = {}): Promise<ApiResponse> =>
    api.send({ method: 'PATCH', url: '/fleet/v1/machines', body, headers });
  const metadata = async () => {
    const { machines } = (await api.get('/machines')) as { machines: { id: string; metadata?: object }[] };
    return Object.fromEntries(machines.map((machine) => [machine.id, machine.metadata]));
  };
  const remember = (id: string, values: object) =>
    patch(Object.entries(values).map(([key, value]) => ({ op: 'add', path: `/${id}/metadata/${key}`, value })));
  return { api, patch, metadata, remember };
}

const done: ApiResponse = {
  status: 204,
  headers: { Server: 'fleetd/1.2.3', 'Content-Type': 'application/json' },
  body: '',
};

test('add and replace set keys, in the form of the functional tests, without a Content-Type', async () => {
  const { api, patch, metadata } = await openApi();
  const response = await patch([
    { op: 'add', path: '/m0/metadata/foo', Value: { value: 'bar' } },
    { op: 'replace', path: '/m1/metadata/ping', Value: { VALUE: 'splat' } },
  ]);
  assert.deepEqual(response, done);
  assert.deepEqual(await api.get('/machines'), {
    machines: [
      { id: 'm0', metadata: { foo: 'bar', hostname: 'm0' }, primaryIP: '10.0.0.m0' },
      { id: 'm1', metadata: { hostname: 'm1', ping: 'splat' }, primaryIP: '10.0.0.m1' },
    ],
  });
  assert.deepEqual(await metadata(), { m0: { foo: 'bar', hostname: 'm0' }, m1: { hostname: 'm1', ping: 'splat' } });
});

test('a plain value, as the documentation has it, is the same; the last of several on one key counts', async () => {
  const { patch, metadata } = await openApi();
  const path = '/m0/metadata/region';
  await patch([
    { op: 'add', path, value: 'eu' },
    { op: 'remove', path },
    { OP: 'replace', Path: path, value: 'us' },
  ]);
  assert.deepEqual((await metadata()).m0, { hostname: 'm0', region: 'us' });
});

test('keys that are not there are removed without a change', async () => {
  const { patch, metadata } = await openApi();
  const before = await metadata();
  const body = [
    { op: 'remove', path: '/m0/metadata/foo' },
    { op: 'remove', path: '/m1/metadata/ping', value: { value: '' } },
  ];
  assert.deepEqual(await patch(body), done);
  assert.deepEqual(await metadata(), before);
});

test('remove takes away what was set, and hides what the machine has of its own', async () => {
  const { patch, metadata } = await openApi();
  await patch([{ op: 'add', path: '/m0/metadata/foo', value: 'bar' }]);
  await patch([
    { op: 'remove', path: '/m0/metadata/foo' },
    { op: 'remove', path: '/m0/metadata/hostname' },
  ]);
  assert.equal((await metadata()).m0, undefined);
});

test('metadata of a machine that is not there is remembered', async () => {
  const { api, patch, metadata } = await openApi();
  assert.equal((await patch([{ op: 'add', path: '/m9/metadata/role', value: 'db' }])).status, 204);
  await api.write(keys.machine('m9' as MachineId), { address: '', metadata: {}, version: '' });
  assert.deepEqual((await metadata()).m9, { role: 'db' });
});

const op = { op: 'add', path: '/m0/metadata/key', value: 'new' };
const path = 'machine metadata path invalid';
const noValue = 'invalid value: add and replace require a value';

const refused: readonly (readonly [says: string, body: unknown, text: string | RegExp])[] = [
  ['an operation that there is not', [op, { ...op, op: 'noop' }], 'invalid op: expect add, remove, or replace'],
  ['no operation', [{ path: op.path }], 'invalid op: expect add, remove, or replace'],
  ['a path that is none', [op, { ...op, path: '/m0/foo' }], path],
  ['a path that is none, and no value', [op, { op: 'add', path: '/m0/metadata/' }], path],
  ['a key with a blank', [op, { op: 'remove', path: '/m0/metadata/a b' }], path],
  ['a path that goes on', [op, { ...op, path: '/m0/metadata/a/b' }], path],
  ['an ID that none is', [op, { ...op, path: '/../metadata/a' }], path],
  ['no value', [op, { op: 'add', path: op.path }], noValue],
  ['an empty value', [op, { ...op, op: 'replace', value: { value: '' } }], noValue],
  ['a null', [op, { ...op, value: null }], noValue],
  ['a value with a line end', [op, { ...op, value: 'a\nb' }], /^invalid value: that of .* control characters/],
  ['a huge value', [op, { ...op, value: 'ä'.repeat(2049) }], /^invalid value: that of .* longer than 4096 bytes/],
  ['a huge key', [op, { ...op, path: `/m0/metadata/${'k'.repeat(257)}` }], path],
  ['a number', [op, { ...op, value: 1 }], /^unable to decode body: 1\.value: /],
  ['no list', op, /^unable to decode body: /],
  ['no body', '', 'unable to decode body: EOF'],
  ['no JSON', '[{', /^unable to decode body: /],
];

for (const [says, body, text] of refused) {
  test(`${says}: 400, and nothing is changed`, async () => {
    const { patch, metadata } = await openApi();
    const before = await metadata();
    const response = await patch(body);
    assert.equal(response.status, 400);
    const message = errorText(response);
    if (typeof text === 'string') assert.equal(message, text);
    else assert.match(message, text);
    assert.deepEqual(await metadata(), before);
  });
}

test('nothing to do is done', async () => {
  const { patch } = await openApi();
  assert.deepEqual(await patch([]), done);
  assert.deepEqual(await patch('null'), done);
});

test('what does not fit into one transaction is done in parts', async () => {
  const { remember, metadata } = await openApi();
  const values = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`k${at}`, 'v']));
  assert.equal((await remember('m1', values)).status, 204);
  assert.deepEqual((await metadata()).m1, { ...values, hostname: 'm1' });
});
