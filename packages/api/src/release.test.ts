import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import { keys, type LossRecord, ranges } from '@flotilla/registry';
import { machinePageSchema } from '@flotilla/schema';
import { errorText, TestApi, type TestRequest } from './api-harness.js';
import { nextPageToken } from './page-token.js';

const machine = parseMachineId('0123456789abcdef0123456789abcdef');
const url = `/fleet/v2/machines/${machine}/release`;
const held: LossRecord = { since: 5, state: 'brake', at: 6, units: 7, address: '10.0.0.1' };

async function open(loss: LossRecord = held): Promise<TestApi> {
  const api = new TestApi();
  await api.write(keys.member(machine), { is: 'joined', address: '10.0.0.1' });
  await api.write(keys.loss(machine), loss);
  return api;
}

const ordersOf = async (api: TestApi) => (await api.store.range(ranges.releases)).kvs.map(({ key }) => key);

test('machines that are gone stand beside those that are alive, on the first page', async () => {
  const api = await open();
  await api.write(keys.loss(parseMachineId('f')), { ...held, state: 'lost', address: '', isReleased: true });
  const page = machinePageSchema.strict().parse(await api.get('/machines'));
  assert.deepEqual(page, {
    losses: [
      { machineID: machine, primaryIP: '10.0.0.1', since: 5, state: 'brake', units: 7 },
      { machineID: 'f', since: 5, state: 'lost', units: 7 },
    ],
  });
  const later = machinePageSchema
    .strict()
    .parse(await api.get(`/machines?nextPageToken=${nextPageToken(100, { page: 1, after: 'a' })}`));
  assert.equal(later.losses, undefined);
});

for (const body of [{}, '', ' {} '])
  test(`a release is passed on to the leader, with body ${JSON.stringify(body)}`, async () => {
    const api = await open();
    const response = await api.send({ method: 'POST', url, body });
    assert.deepEqual([response.status, response.body], [204, '']);
    assert.deepEqual(await ordersOf(api), [keys.release(machine)]);
  });

const refusals: readonly (readonly [says: string, request: TestRequest, status: number, text: RegExp])[] = [
  ['a machine that nobody knows', { url: '/fleet/v2/machines/m2/release', body: {} }, 404, /^machine does not exist$/],
  ['what is no ID', { url: '/fleet/v2/machines/%20/release', body: {} }, 404, /^machine does not exist$/],
  ['a body that says more', { body: { dryRun: true } }, 400, /^unable to decode body: /],
  ['no type of content', { headers: {}, body: {} }, 415, /Content-Type/],
  ['another method', { method: 'GET' }, 405, /^only POST supported/],
];

for (const [says, request, status, text] of refusals)
  test(`refused: ${says}`, async () => {
    const api = await open();
    const response = await api.send({ method: 'POST', url, ...request });
    assert.equal(response.status, status);
    assert.match(errorText(response), text);
    assert.deepEqual(await ordersOf(api), []);
  });

test('a machine that is lost already is forgotten', async () => {
  const api = await open({ ...held, state: 'lost' });
  const post = () => api.send({ method: 'POST', url, body: {} });
  assert.equal((await post()).status, 204);
  assert.deepEqual([await ordersOf(api), (await api.store.range(ranges.members)).kvs], [[], []]);
  const again = await post();
  assert.deepEqual([again.status, errorText(again)], [404, 'machine does not exist']);
});

test('refused: a machine that is lost already while others are held back, one that is alive, or has left', async () => {
  const api = await open({ ...held, state: 'lost' });
  await api.write(keys.loss(parseMachineId('f')), held);
  const post = async () => errorText(await api.send({ method: 'POST', url, body: {} }));
  assert.match(await post(), /lost already/);
  await api.write(keys.member(machine), { is: 'left', address: '' });
  assert.match(await post(), /has left/);
  await api.write(keys.machine(machine), {});
  assert.match(await post(), /alive/);
  assert.deepEqual(await ordersOf(api), []);
});
