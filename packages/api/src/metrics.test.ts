import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TestApi } from './api-harness.js';
import type { AnsweredRequest } from './deps.js';

function counted() {
  const begun: (AnsweredRequest | undefined)[] = [];
  const metrics = {
    begin: () => {
      const at = begun.push(undefined) - 1;
      return (answered: AnsweredRequest) => {
        begun[at] = answered;
      };
    },
    expose: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' }),
  };
  return { api: new TestApi({ metrics }), begun };
}

describe('requests are counted', () => {
  test('by the path as the API knows it, so that no client can add to what is counted', async () => {
    const { api, begun } = counted();
    await api.send({ url: '/fleet/v1/units/a.service?x=y' });
    await api.send({ url: '/v1-alpha/units/b.service' });
    await api.send({ method: 'POST', url: '/fleet/v1/machines' });
    await api.send({ url: '/no/such/thing' });
    await api.send({ url: '/%' });
    await api.send({ url: '//fleet/v1' });
    api.isReady = false;
    await api.send({ url: '/fleet/v1/state' });
    assert.deepEqual(begun, [
      { route: '/fleet/v1/units/:name', method: 'GET', status: 404 },
      { route: '/v1-alpha/units/:name', method: 'GET', status: 404 },
      { route: '/fleet/v1/machines', method: 'POST', status: 405 },
      { route: undefined, method: 'GET', status: 404 },
      { route: undefined, method: 'GET', status: 400 },
      { route: undefined, method: 'GET', status: 301 },
      { route: '/fleet/v1/state', method: 'GET', status: 503 },
    ]);
  });

  test('when they fail, too', async () => {
    const { api, begun } = counted();
    api.store.range = () => Promise.reject(new Error('broken'));
    api.store.transact = () => Promise.reject(new Error('broken'));
    await api.send({ url: '/fleet/v1/units' });
    assert.deepEqual(begun, [{ route: '/fleet/v1/units', method: 'GET', status: 500 }]);
  });
});

describe('/metrics', () => {
  test('answers by any method, also without a store', async () => {
    const { api } = counted();
    api.isReady = false;
    for (const method of ['GET', 'POST', 'DELETE']) {
      const { status, headers, body } = await api.send({ method, url: '/metrics' });
      assert.deepEqual([status, headers['Content-Type'], body], [200, 'text/plain; version=0.0.4', 'up 1\n']);
    }
    assert.equal((await api.send({ method: 'HEAD', url: '/metrics' })).body, '');
  });

  test('is not there where nobody counts', async () => {
    assert.equal((await new TestApi().send({ url: '/metrics' })).status, 404);
  });
});
