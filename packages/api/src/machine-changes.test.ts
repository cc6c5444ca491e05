import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MachineId } from '@flotilla/cluster';
import { keys } from '@flotilla/registry';
import { machineLimitAnswerSchema, machineMetadataAnswerSchema } from '@flotilla/schema';
import { errorText, TestApi } from './api-harness.js';

async function openApi() {
  const api = new TestApi();
  const record = { address: '', metadata: { region: 'eu', role: 'db' }, maxUnits: 8, version: '' };
  await api.write(keys.machine('m1' as MachineId), record);
  const post = (path: string, body: unknown, headers?: Readonly<Record<string, readonly string[]>>) =>
    api.send({ method: 'POST', url: `/fleet/v2/machines/${path}`, body, ...(headers && { headers }) });
  return { api, post };
}

describe("a machine's metadata", () => {
  test('is set, unset and reset in one go, and the answer says what is hidden', async () => {
    const { api, post } = await openApi();
    const change = async (body: object) => {
      const response = await post('m1/metadata', body);
      assert.equal(response.status, 200, response.body);
      return machineMetadataAnswerSchema.parse(JSON.parse(response.body));
    };
    assert.deepEqual(await change({ set: { rack: '7', role: 'web' } }), {
      machineID: 'm1',
      metadata: { rack: '7', region: 'eu', role: 'web' },
    });
    assert.deepEqual(await change({ set: { disk: 'ssd' }, unset: ['role', 'rack'] }), {
      hidden: ['role'],
      machineID: 'm1',
      metadata: { disk: 'ssd', region: 'eu' },
    });
    assert.deepEqual(await change({ reset: ['role', 'disk'] }), {
      machineID: 'm1',
      metadata: { region: 'eu', role: 'db' },
    });
    assert.deepEqual(await api.get('/machines'), {
      machines: [{ id: 'm1', maxUnits: 8, metadata: { region: 'eu', role: 'db' } }],
    });
  });

  test('of a machine that is not there is not made up', async () => {
    const { post } = await openApi();
    const { body } = await post('m2/metadata', { unset: ['role'], set: { rack: '7' } });
    assert.deepEqual(JSON.parse(body), { hidden: ['role'], machineID: 'm2' });
  });

  const refused: readonly (readonly [body: unknown, text: string | RegExp])[] = [
    [{ set: { 'a b': 'x' } }, '"a b" is no metadata key: those are made of letters, digits, _, . and -'],
    [{ set: { a: '' } }, 'the value of a is empty'],
    [{ set: { a: 'x\ty' } }, 'the value of a has control characters in it'],
    [{ set: { a: 'x' }, unset: ['a'] }, 'a is named twice'],
    [{ remove: ['a'] }, /^unable to decode body: /],
  ];
  for (const [body, text] of refused) {
    test(`is not changed by ${JSON.stringify(body)}`, async () => {
      const { api, post } = await openApi();
      const { revision } = api.store;
      const response = await post('m1/metadata', body);
      assert.equal(response.status, 400);
      if (typeof text === 'string') assert.equal(errorText(response), text);
      else assert.match(errorText(response), text);
      assert.equal(api.store.revision, revision);
    });
  }
});

describe("a machine's limit", () => {
  test('is what was told, else its own, else the one of all', async () => {
    const { api, post } = await openApi();
    await api.send({ method: 'PUT', url: '/fleet/v2/settings', body: { max_units: '20' } });
    const limit = async (id: string, maxUnits: number | null) =>
      machineLimitAnswerSchema.parse(JSON.parse((await post(`${id}/limit`, { maxUnits })).body));
    assert.deepEqual(await limit('m1', 5), { machineID: 'm1', maxUnits: 5, source: 'api' });
    assert.deepEqual(await limit('m1', null), { machineID: 'm1', maxUnits: 8, source: 'machine' });
    assert.deepEqual(await limit('m2', null), { machineID: 'm2', maxUnits: 20, source: 'cluster' });
    await api.send({ method: 'PUT', url: '/fleet/v2/settings', body: { max_units: null } });
    assert.deepEqual(await limit('m2', null), { machineID: 'm2' });
  });

  for (const maxUnits of [0, -1, 1.5, '5', undefined]) {
    test(`is not ${maxUnits}`, async () => {
      const { post } = await openApi();
      const response = await post('m1/limit', { maxUnits });
      assert.equal(response.status, 400);
      assert.match(errorText(response), /^unable to decode body: maxUnits: /);
    });
  }
});

test('both need JSON and a machine ID', async () => {
  const { post } = await openApi();
  for (const [path, body] of [['metadata', { set: {} }] as const, ['limit', { maxUnits: 5 }] as const]) {
    assert.equal((await post(`m1/${path}`, body, {})).status, 415);
    const response = await post(`-/${path}`, body);
    assert.equal(response.status, 400);
    assert.equal(errorText(response), 'not a machine ID: "-"');
  }
});
