import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { machinePageSchema, readinessAnswerSchema } from '@flotilla/schema';
import { errorText, sleeper, TestApi } from './api-harness.js';

async function readiness(api: TestApi) {
  const { status, body } = await api.send({ url: '/readyz' });
  return { status, ...readinessAnswerSchema.strict().parse(JSON.parse(body)) };
}

const codesOf = (alarms: readonly { readonly code: string }[] = []) => alarms.map(({ code }) => code);

describe('readiness', () => {
  test('says what the last look found, looks for the next one to ask, and stays 200', async () => {
    const api = new TestApi();
    const mebibyte = 1024 * 1024;
    api.store.health = { member: { sizeBytes: 9 * mebibyte, quotaBytes: 10 * mebibyte }, commitMs: 250.4 };
    assert.deepEqual(await readiness(api), { status: 200, ready: true });
    const { alarms, ...rest } = await readiness(api);
    assert.deepEqual(codesOf(alarms), ['store-quota', 'store-slow-disk']);
    assert.match(alarms?.[0]?.message ?? '', /memory has used 90 % of its space quota of 10 MiB: etcdctl defrag/);
    assert.deepEqual(rest, {
      status: 200,
      ready: true,
      store: {
        commitMs: 250,
        members: [
          { address: 'memory', hasLeader: true, inUseBytes: 0, quotaBytes: 10 * mebibyte, sizeBytes: 9 * mebibyte },
        ],
      },
    });
  });

  test('asked all the time, it looks once a minute', async () => {
    const api = new TestApi();
    for (let second = 0; second < 180; second++) {
      await readiness(api);
      await api.clock.advance(1_000);
    }
    assert.equal(api.store.looks, 3);
  });

  test('a store that can not be reached is named', async () => {
    const api = new TestApi();
    api.store.cut();
    await readiness(api);
    assert.deepEqual((await readiness(api)).store, { members: [{ address: 'memory', error: 'cut off' }] });
  });
});

describe('machines', () => {
  const read = async (api: TestApi, query = '') => machinePageSchema.strict().parse(await api.get(`/machines${query}`));

  test('come with what is to be seen to, after one look for all who ask within 5 s', async () => {
    const api = new TestApi();
    assert.deepEqual(await read(api), {});
    api.store.raise('corrupt');
    await api.clock.advance(4_999);
    assert.deepEqual(await read(api), {});
    await api.clock.advance(1);
    const pages = await Promise.all([read(api), read(api), read(api)]);
    for (const { alarms } of pages) assert.deepEqual(codesOf(alarms), ['store-corrupt']);
    assert.equal(api.store.looks, 2);
  });

  test('are told although the look fails', async () => {
    const api = new TestApi();
    api.store.readHealth = () => Promise.reject(new Error('no look'));
    await api.write('machines/m1', { address: '', metadata: {}, version: '', instance: '', boot: '' });
    assert.equal((await read(api)).machines?.length, 1);
  });

  test('say it on the first page only', async () => {
    const api = new TestApi({ pageLimit: 1 });
    for (const id of ['m1', 'm2'])
      await api.write(`machines/${id}`, { address: '', metadata: {}, version: '', instance: '', boot: '' });
    api.store.raise('corrupt');
    const { alarms, nextPageToken } = await read(api);
    assert.deepEqual(codesOf(alarms), ['store-corrupt']);
    assert.equal((await read(api, `?nextPageToken=${nextPageToken}`)).alarms, undefined);
  });
});

test('what is to be seen to at this fleetd stands beside it, in both', async () => {
  const own = [{ code: 'api-open', message: 'close it' }];
  const api = new TestApi({ ownAlarms: () => own });
  assert.deepEqual((await readiness(api)).alarms, own);
  api.store.raise('corrupt');
  await api.clock.advance(5_000);
  const page = machinePageSchema.parse(await api.get('/machines'));
  assert.deepEqual(codesOf(page.alarms), ['store-corrupt', 'api-open']);
  api.store.readHealth = () => Promise.reject(new Error('no look'));
  await api.clock.advance(60_000);
  assert.deepEqual(codesOf(machinePageSchema.parse(await api.get('/machines')).alarms), ['api-open']);
});

describe('a store without room', () => {
  const url = '/fleet/v1/units/a.service';
  const submit = { method: 'PUT', url, body: { options: sleeper() } };

  test('refuses what is new with 507, what is wrong and what to do; reads and deletes go on', async () => {
    const api = new TestApi();
    assert.equal(await api.put('b.service', { options: sleeper() }), 201);
    api.store.raise('no-space');
    const refused = await api.send(submit);
    assert.equal(refused.status, 507);
    assert.match(errorText(refused), /^etcd: its space quota is used up.*etcdctl defrag.*etcdctl alarm disarm/);
    assert.equal((await api.send({ url: '/fleet/v1/units/b.service' })).status, 200);
    assert.equal((await api.send({ method: 'DELETE', url: '/fleet/v1/units/b.service' })).status, 204);
    api.store.disarm();
    assert.equal((await api.send(submit)).status, 201);
  });

  test('refuses the same in a batch', async () => {
    const api = new TestApi();
    assert.equal(await api.put('b.service', { options: sleeper() }), 201);
    api.store.raise('no-space');
    const operations = [
      { op: 'put', unit: { name: 'a.service', options: sleeper() } },
      { op: 'delete', name: 'b.service' },
    ];
    const { body } = await api.send({ method: 'POST', url: '/fleet/v2/batch', body: { operations } });
    const { results } = JSON.parse(body) as { results: { status: number; error?: { message: string } }[] };
    assert.deepEqual(
      results.map(({ status }) => status),
      [507, 204],
    );
    assert.match(results[0]?.error?.message ?? '', /etcdctl alarm disarm/);
  });

  test('whose data is in doubt refuses deletes, too', async () => {
    const api = new TestApi();
    assert.equal(await api.put('b.service', { options: sleeper() }), 201);
    api.store.raise('corrupt');
    const refused = await api.send({ method: 'DELETE', url: '/fleet/v1/units/b.service' });
    assert.deepEqual([refused.status, /members hold different data/.test(errorText(refused))], [507, true]);
  });
});
