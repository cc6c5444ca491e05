import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import type { BatchOperationEntity, BatchRequest, BatchResultEntity } from '@flotilla/schema';
import { ApiError } from './errors.js';
import { answer, bodyOf, serve } from './testing/serve.js';

const put = (name: string, file = ''): BatchOperationEntity => ({ op: 'put', unit: { name, file } });
const nameOf = (operation: BatchOperationEntity) => (operation.op === 'put' ? operation.unit.name : operation.name);

function answerBatch(response: ServerResponse, request: unknown, statusOf: (name: string) => number): void {
  const { operations } = request as BatchRequest;
  const results = operations.map((operation): BatchResultEntity => {
    const [name, status] = [nameOf(operation), statusOf(nameOf(operation))];
    return { name, status, ...(status >= 400 && { error: { code: status, message: `${name}: no` } }) };
  });
  answer(response, 200, { results });
}

test('one request carries many operations, and each has its own outcome', async (context) => {
  const bodies: unknown[] = [];
  const statuses: Readonly<Record<string, number>> = { new: 201, known: 204, big: 413, gone: 204, absent: 404 };
  const { client, exchanges } = await serve(context, async (request, response) => {
    assert.equal(request.headers['content-type'], 'application/json');
    bodies.push(await bodyOf(request));
    answerBatch(response, bodies.at(-1), (name) => statuses[name] ?? 500);
  });
  const operations = [
    put('new', 'ä\n'),
    put('known'),
    put('big'),
    { op: 'delete', name: 'gone' },
    { op: 'delete', name: 'absent' },
  ] as const;
  const outcomes = await client.batch(operations);
  assert.deepEqual([...outcomes.keys()], operations.map(nameOf));
  assert.deepEqual(
    [...outcomes.values()].map(({ kind }) => kind),
    ['created', 'updated', 'refused', 'deleted', 'absent'],
  );
  const big = outcomes.get('big');
  assert.ok(big?.kind === 'refused' && big.error.status === 413 && big.error.message === 'big: no');
  assert.deepEqual(bodies, [{ operations }]);
  assert.deepEqual(exchanges, [{ method: 'POST', path: '/fleet/v2/batch', status: 200 }]);
});

test('requests are parted by number and by bytes', async (context) => {
  const sizes: number[] = [];
  const { client } = await serve(context, async (request, response) => {
    assert.ok(Number(request.headers['content-length']) < 1.1 * 1024 * 1024);
    const body = await bodyOf(request);
    if (request.method === 'PUT') return answer(response, 201);
    sizes.push((body as BatchRequest).operations.length);
    return answerBatch(response, body, () => 201);
  });
  const small = await client.batch(Array.from({ length: 1001 }, (_, index) => put(`web@${index}.service`)));
  // The last one is alone, and goes by the request of API v1.
  assert.equal(small.size, 1001);
  assert.deepEqual(sizes, [500, 500]);
  sizes.length = 0;
  const large = await client.batch(
    Array.from({ length: 6 }, (_, index) => put(`web@${index}.service`, 'ä'.repeat(200_000))),
  );
  assert.equal(large.size, 6);
  assert.deepEqual(sizes, [2, 2, 2]);
  assert.equal((await client.batch([])).size, 0);
});

test('a single operation is a request of API v1, with the encoded name', async (context) => {
  const bodies: unknown[] = [];
  const { client, exchanges } = await serve(context, async (request, response) => {
    if (request.method === 'DELETE') return answer(response, 404, { error: { code: 404, message: 'not there' } });
    bodies.push(await bodyOf(request));
    return answer(response, 201);
  });
  const name = 'a\\x2db@1.service';
  assert.deepEqual([...(await client.batch([put(name, 'ä\n')]))], [[name, { kind: 'created' }]]);
  assert.deepEqual([...(await client.batch([{ op: 'delete', name }]))], [[name, { kind: 'absent' }]]);
  assert.deepEqual(bodies, [{ name, file: 'ä\n' }]);
  const path = '/fleet/v1/units/a%5Cx2db%401.service';
  assert.deepEqual(exchanges, [
    { method: 'PUT', path, status: 201 },
    { method: 'DELETE', path, status: 404 },
  ]);
});

test('a server without batches is asked once, then for each operation alone', async (context) => {
  const { client, exchanges } = await serve(context, (request, response) => {
    if (request.method === 'POST') return answer(response, 404);
    return request.url?.endsWith('bad.service')
      ? answer(response, 400, { error: { code: 400, message: 'no such option' } })
      : answer(response, 204);
  });
  const first = await client.batch([put('bad.service'), put('web.service')]);
  const second = await client.batch([
    { op: 'delete', name: 'a.service' },
    { op: 'delete', name: 'b.service' },
  ]);
  assert.equal(second.get('b.service')?.kind, 'deleted');
  assert.equal(first.get('web.service')?.kind, 'updated');
  const bad = first.get('bad.service');
  assert.ok(bad?.kind === 'refused' && bad.error.message === 'no such option');
  assert.deepEqual(exchanges.map(({ method }) => method).sort(), ['DELETE', 'DELETE', 'POST', 'PUT', 'PUT']);
});

test('a refusal of the whole is one of each operation; an answer that lacks one is an error', async (context) => {
  const answers = [
    { status: 503, body: { error: { code: 503, message: 'no etcd' } } },
    { status: 200, body: { results: [{ name: 'a.service', status: 201 }] } },
    { status: 200, body: {} },
  ];
  const { client } = await serve(context, (_, response) => {
    const next = answers.shift();
    answer(response, next?.status ?? 500, next?.body);
  });
  const operations = [put('a.service'), put('b.service')];
  for (const outcome of (await client.batch(operations)).values()) {
    assert.ok(outcome.kind === 'refused' && outcome.error instanceof ApiError);
    assert.deepEqual([outcome.error.status, outcome.error.message], [503, 'no etcd']);
  }
  await assert.rejects(client.batch(operations), { code: 'bad-answer' });
  await assert.rejects(client.batch(operations), { code: 'bad-answer' });
});
