import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BatchOperationEntity, DirectoryDetailEntity } from '@flotilla/schema';
import { answer, bodyOf, serve } from './testing/serve.js';

const directory: DirectoryDetailEntity = { hosts: [], name: 'local', unitList: [] };
const put = (name: string): BatchOperationEntity => ({ op: 'put', unit: { name, file: '' } });
const remove = (name: string): BatchOperationEntity => ({ op: 'delete', name });
const probe = '/fleet/v2/dirs/any/confirm';

test('directories are listed, found, confirmed and forgotten, and units adopted, by one request each', async (context) => {
  const bodies: unknown[] = [];
  const answers: Readonly<Record<string, object>> = {
    '/fleet/v2/dirs': { directories: [{ hosts: [], name: 'local' }] },
    '/fleet/v2/dirs/local': directory,
    '/fleet/v2/dirs/local/confirm': { hosts: ['m1'] },
    '/fleet/v2/machines/m%201/forget-dirs': { directories: [] },
    '/fleet/v2/units/a%40b.service/adopt': { former: 'local' },
  };
  const { client, exchanges } = await serve(context, async (request, response) => {
    if (request.method === 'POST') bodies.push(await bodyOf(request));
    answer(response, 200, answers[request.url ?? '']);
  });
  assert.deepEqual(await client.listDirectories(), [{ hosts: [], name: 'local' }]);
  assert.deepEqual(await client.findDirectory('local'), directory);
  assert.deepEqual(await client.confirmDirectory('local'), { hosts: ['m1'] });
  assert.deepEqual(await client.forgetDirectories('m 1', { dryRun: true }), { directories: [] });
  assert.deepEqual(await client.forgetDirectories('m 1'), { directories: [] });
  assert.deepEqual(await client.adoptUnit('a@b.service'), { former: 'local' });
  assert.deepEqual(await client.adoptUnit('a@b.service', { owner: 'web' }), { former: 'local' });
  assert.deepEqual(bodies, [{}, { dryRun: true }, {}, {}, { owner: 'web' }]);
  assert.deepEqual(
    exchanges.map(({ method, path }) => `${method} ${path}`),
    [
      'GET /fleet/v2/dirs',
      'GET /fleet/v2/dirs/local',
      'POST /fleet/v2/dirs/local/confirm',
      'POST /fleet/v2/machines/m%201/forget-dirs',
      'POST /fleet/v2/machines/m%201/forget-dirs',
      'POST /fleet/v2/units/a%40b.service/adopt',
      'POST /fleet/v2/units/a%40b.service/adopt',
    ],
  );
});

test('a directory that is not there is none; a server that knows no directories is told from that', async (context) => {
  let text = 'directory does not exist';
  const { client } = await serve(context, (_, response) =>
    answer(response, 404, { error: { code: 404, message: text } }),
  );
  assert.equal(await client.findDirectory('local'), undefined);
  const refused = { code: 'api-error', status: 404, message: text };
  await assert.rejects(client.confirmDirectory('local'), refused);
  await assert.rejects(client.forgetDirectories('m1'), refused);
  await assert.rejects(client.adoptUnit('a.service', { owner: 'web' }), refused);
  text = '';
  const older = { code: 'api-error', status: 404, message: /older than this fleetctl/ };
  for (const call of [
    client.listDirectories(),
    client.findDirectory('local'),
    client.confirmDirectory('local'),
    client.forgetDirectories('m1'),
    client.adoptUnit('a.service'),
  ])
    await assert.rejects(call, older);
});

test('a batch for an owner says so in each of its requests, also if it is of one unit', async (context) => {
  const owners: unknown[] = [];
  const { client, exchanges } = await serve(context, async (request, response) => {
    if (request.method === 'GET')
      return answer(response, 405, { error: { code: 405, message: 'only POST supported' } });
    const { operations, owner } = (await bodyOf(request)) as { operations: BatchOperationEntity[]; owner: unknown };
    owners.push(owner);
    const results = operations.map((operation) =>
      operation.op === 'put'
        ? { effect: 'created', name: operation.unit.name, status: 201 }
        : { effect: 'kept', name: operation.name, status: 204 },
    );
    answer(response, 200, { results });
  });
  const outcomes = await client.batch([put('a.service'), remove('b.service')], { owner: 'web "1"' });
  assert.deepEqual(Object.fromEntries(outcomes), {
    'a.service': { effect: 'created', kind: 'created' },
    'b.service': { effect: 'kept', kind: 'deleted' },
  });
  await client.batch([remove('b.service')], { owner: 'web "1"' });
  await client.batch(
    Array.from({ length: 501 }, (_, at) => put(`${at}.service`)),
    { owner: 'web' },
  );
  assert.deepEqual(owners, ['web "1"', 'web "1"', 'web', 'web']);
  const [first, ...others] = exchanges.map(({ method, path }) => `${method} ${path}`);
  assert.equal(first, `GET ${probe}`);
  assert.deepEqual(
    others,
    Array.from({ length: 4 }, () => 'POST /fleet/v2/batch'),
  );
});

test('nothing is sent for an owner to a server that takes no notice of owners', async (context) => {
  const { client, exchanges } = await serve(context, (_, response) =>
    answer(response, 404, { error: { code: 404, message: '' } }),
  );
  for (let time = 0; time < 2; time++)
    await assert.rejects(client.batch([put('a.service'), remove('b.service')], { owner: 'web' }), {
      code: 'api-error',
      message: /older than this fleetctl/,
    });
  assert.deepEqual(
    exchanges.map(({ path }) => path),
    [probe, probe],
  );
});

test('what a server refuses whatever is asked is the outcome of each operation, until it goes away', async (context) => {
  let isReady = false;
  const { client, exchanges } = await serve(context, (request, response) => {
    if (!isReady) return answer(response, 503, { error: { code: 503, message: 'no etcd' } });
    if (request.method === 'GET')
      return answer(response, 405, { error: { code: 405, message: 'only POST supported' } });
    answer(response, 200, { results: [{ effect: 'unchanged', name: 'a.service', status: 204 }] });
  });
  const refused = (await client.batch([put('a.service')], { owner: 'web' })).get('a.service');
  assert.ok(refused?.kind === 'refused' && refused.error.status === 503);
  assert.equal(exchanges.length, 1);
  isReady = true;
  const done = await client.batch([put('a.service')], { owner: 'web' });
  assert.deepEqual(done.get('a.service'), { effect: 'unchanged', kind: 'updated' });
});
