import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keys } from '@flotilla/registry';
import { type BatchAnswer, batchAnswerSchema } from '@flotilla/schema';
import { parseUnitName } from '@flotilla/unit';
import fc from 'fast-check';
import { errorText, sleeper, TestApi, type TestRequest } from './api-harness.js';
import { uncertainText } from './responses.js';

const url = '/fleet/v2/batch';
const put = (name: string, unit: object = { options: sleeper() }) => ({ op: 'put', unit: { name, ...unit } });
const remove = (name: string) => ({ op: 'delete', name });

async function batch(api: TestApi, operations: readonly object[]): Promise<BatchAnswer['results']> {
  const { status, body } = await api.send({ method: 'POST', url, body: { operations } });
  assert.equal(status, 200, body);
  return batchAnswerSchema.parse(JSON.parse(body)).results;
}

/** The request of v1 that does what an operation does. */
function single(operation: object): TestRequest {
  const { op, name, unit } = operation as { op: string; name?: string; unit?: { name: string } };
  const path = `/fleet/v1/units/${encodeURIComponent(unit?.name ?? name ?? '')}`;
  return op === 'put' ? { method: 'PUT', url: path, body: unit } : { method: 'DELETE', url: path };
}

async function alone(api: TestApi, operation: object): Promise<object> {
  const response = await api.send(single(operation));
  if (response.status < 400) return { status: response.status };
  return { status: response.status, error: { code: response.status, message: errorText(response) } };
}

describe('a batch is refused as a whole', () => {
  const types = { 'content-type': ['text/plain'] };
  const many = (count: number) => Array.from({ length: count }, (_, at) => put(`${at}.service`));
  const rows: readonly { says: string; request: TestRequest; status?: number; text: RegExp }[] = [
    { says: 'without a body', request: { body: '' }, text: /^unable to decode body: / },
    { says: 'of another type', request: { headers: types, body: {} }, status: 415, text: /application\/json$/ },
    { says: 'without operations', request: { body: {} }, text: /^unable to decode body: operations: / },
    { says: 'with no operation', request: { body: { operations: [] } }, text: /operations: / },
    { says: 'with 1,001 operations', request: { body: { operations: many(1_001) } }, text: /operations: .*1000/ },
    {
      says: 'with what is no operation',
      request: { body: { operations: [put('a.service'), 1] } },
      text: /operations\.1/,
    },
    {
      says: 'with an unknown operation',
      request: { body: { operations: [{ op: 'stop', name: 'a' }] } },
      text: /operations\.0\.op/,
    },
    {
      says: 'with a unit without a name',
      request: { body: { operations: [{ op: 'put', unit: {} }] } },
      text: /operations\.0\.unit\.name/,
    },
    {
      says: 'with a unit named twice',
      request: { body: { operations: [put('a.service'), put('b.service'), remove('a.service')] } },
      text: /"a\.service" is named twice$/,
    },
    { says: 'with more behind it', request: { body: '{"operations":[{"op":"delete","name":"a"}]} x' }, text: /JSON/ },
    {
      says: 'from a web page',
      request: { headers: { origin: ['http://evil'] }, body: '' },
      status: 403,
      text: /Origin/,
    },
    { says: 'by another method', request: { method: 'GET' }, status: 405, text: /^only POST supported/ },
  ];
  for (const { says, request, status = 400, text } of rows)
    test(says, async () => {
      const api = new TestApi();
      const response = await api.send({ method: 'POST', url, ...request });
      assert.equal(response.status, status);
      assert.match(errorText(response), text);
      assert.equal(api.store.revision, new TestApi().store.revision);
    });

  test('while the store is away', async () => {
    const api = new TestApi();
    api.isReady = false;
    const response = await api.send({ method: 'POST', url, body: { operations: [put('a.service')] } });
    assert.deepEqual([response.status, errorText(response)], [503, 'fleet server unable to communicate with etcd']);
  });
});

describe('an operation of a batch', () => {
  const file = '[Service]\nExecStart=/bin/true\n';
  const operations: readonly object[] = [
    put('new.service'),
    put('known.service', { options: sleeper(2), desiredState: 'launched' }),
    put('same.service', { desiredState: 'loaded' }),
    put('nothing.service'),
    put('absent.service', { desiredState: 'loaded' }),
    put('a b.service'),
    put('', {}),
    put('words.service', { desiredState: 'running' }),
    put('t@.service', { file, desiredState: 'launched' }),
    put('t@1.service', { file, desiredState: 'launched' }),
    put('t@2.service', { file, options: sleeper() }),
    put('bad.service', { file: '[Service]\nExecStart' }),
    put('also-bad.service', { file: '[Service]\nExecStart' }),
    put('null.service', { options: [null] }),
    put('half.service', { file: '\ud800' }),
    put('large.service', { file: `${file}${'# a long comment\n'.repeat(70_000)}` }),
    put('broken.service'),
    put('global.service', { file: `${file}[X-Fleet]\nGlobal=true\n` }),
    remove('gone.service'),
    remove('never.service'),
    remove('not a name'),
  ];
  const setUp = async () => {
    const api = new TestApi();
    for (const name of ['known', 'same', 'nothing', 'gone']) await api.put(`${name}.service`, { options: sleeper() });
    const broken = keys.unit(parseUnitName('broken.service'));
    await api.store.transact({ success: [{ kind: 'put', key: broken, value: Buffer.from('?') }] });
    return api;
  };

  test('is answered as v1 answers it, in its place, whatever becomes of the others', async () => {
    const [api, other] = [await setUp(), await setUp()];
    const results = await batch(api, operations);
    for (const [at, operation] of operations.entries()) {
      const { name, effect, ...result } = results[at] ?? assert.fail('too few results');
      assert.equal(effect !== undefined, result.status < 400, name);
      const { unit, name: own } = operation as { name?: string; unit?: { name: string } };
      assert.equal(name, unit?.name ?? own);
      // No path leads to a unit without a name.
      if (name !== '') assert.deepEqual(result, await alone(other, operation), name);
    }
    assert.deepEqual(new Set(results.map(({ status }) => status)), new Set([201, 204, 400, 404, 409, 413, 500]));
    assert.deepEqual(await api.get('/units'), await other.get('/units'));
    const [failed] = api.log.filter(({ level }) => level === 'error');
    assert.deepEqual(failed?.fields?.units, ['broken.service']);
  });

  test('ends as it does alone, however the batch is split', async () => {
    const some = fc.uniqueArray(fc.nat(operations.length - 1), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.array(some, { minLength: 1, maxLength: 3 }), async (batches) => {
        const [api, other] = [await setUp(), await setUp()];
        for (const chosen of batches) {
          const picked = chosen
            .flatMap((at) => operations[at] ?? [])
            .filter((each) => single(each).url !== '/fleet/v1/units/');
          if (picked.length === 0) continue;
          const results = (await batch(api, picked)).map(({ name: _, effect: __, ...result }) => result);
          const expected: object[] = [];
          for (const operation of picked) expected.push(await alone(other, operation));
          assert.deepEqual(results, expected);
        }
        assert.deepEqual(await api.get('/units'), await other.get('/units'));
      }),
      { numRuns: 30 },
    );
  });

  test('is refused alone, if what it asks for makes no sense under its name', async () => {
    const paired = `${file}[X-Fleet]\nMachineOf=db@%i.service\nConflicts=db@2*.service\n`;
    const results = await batch(
      new TestApi(),
      ['t@.service', 't@1.service', 't@2.service', 't@3.service'].map((name) => put(name, { file: paired })),
    );
    assert.deepEqual(
      results.map(({ status }) => status),
      [201, 201, 400, 201],
    );
    assert.equal(
      results[2]?.error?.message,
      't@2.service:4: [X-Fleet] MachineOf= has unresolvable requirements: peer "db@2.service" matches conflict "db@2*.service"',
    );
  });

  test('is told that the store is away, or that nobody knows', async () => {
    const api = new TestApi();
    api.store.cut();
    const away = { code: 503, message: 'fleet server unable to communicate with etcd' };
    assert.deepEqual(await batch(api, [put('a.service'), remove('b.service'), put('c d.service')]), [
      { error: away, name: 'a.service', status: 503 },
      { error: away, name: 'b.service', status: 503 },
      { error: { code: 400, message: "invalid character ' ' in unit name" }, name: 'c d.service', status: 400 },
    ]);
    api.store.heal();
    api.store.loseNextRequest();
    await api.put('d.service', { options: sleeper() });
    api.store.loseNextRequest();
    const lost = { error: { code: 500, message: uncertainText }, name: 'd.service', status: 500 };
    assert.deepEqual(await batch(api, [remove('d.service')]), [lost]);
  });
});
