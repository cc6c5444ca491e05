import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import { encodeRecord, keys, StoreError } from '@flotilla/registry';
import { restartAnswerSchema, unitStatePageSchema } from '@flotilla/schema';
import { parseUnitName } from '@flotilla/unit';
import { errorText, sleeper, TestApi, type TestRequest } from './api-harness.js';

const machine = parseMachineId('0123456789abcdef0123456789abcdef');
const all = parseUnitName('all.service');
const urlOf = (name: string) => `/fleet/v2/units/${name}/restart`;
const post = (name: string, body: unknown = {}): TestRequest => ({ method: 'POST', url: urlOf(name), body });

/** An API with `web.service`, the same as `idle`, `loaded`, and `all.service`, which is global and on one machine. */
async function open(): Promise<TestApi> {
  const api = new TestApi();
  const options = sleeper();
  await api.put('web.service', { options, desiredState: 'launched' });
  await api.put('web@.service', { options });
  await api.put('idle.service', { options });
  await api.put('loaded.service', { options, desiredState: 'loaded' });
  const global = { section: 'X-Fleet', name: 'Global', value: 'true' };
  await api.put(all, { options: [...options, global], desiredState: 'launched' });
  await api.write(keys.machine(machine), { address: '' });
  await api.place('web.service', machine);
  await api.reportState('web.service', machine);
  await api.reportState(all, machine);
  return api;
}

for (const body of ['', '{}', { machineID: machine }])
  test(`a restart is ordered, with body ${JSON.stringify(body)}`, async () => {
    const api = await open();
    const answer = restartAnswerSchema.strict().parse(JSON.parse((await api.send(post('web.service', body))).body));
    assert.deepEqual(answer, { machineID: machine, name: 'web.service', order: 2 });
    assert.match(
      JSON.stringify(await api.get('/units/web.service')),
      /"currentState":"loaded","desiredState":"launched"/,
    );
    const before = unitStatePageSchema.parse(await api.get('/state?unitName=web.service'));
    assert.equal(before.states?.[0]?.order, 1);
    await api.reportState('web.service', machine, { order: 2 });
    assert.match(JSON.stringify(await api.get('/units/web.service')), /"currentState":"launched"/);
  });

test('a unit that is loaded is to be started', async () => {
  const api = await open();
  const { status, body } = await api.send(post('loaded.service'));
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(body), { name: 'loaded.service', order: 1 });
  assert.match(JSON.stringify(await api.get('/units/loaded.service')), /"desiredState":"launched"/);
});

test('a global unit is restarted on one machine, or on all', async () => {
  const api = await open();
  const order = async (body: object) =>
    restartAnswerSchema.strict().parse(JSON.parse((await api.send(post(all, body))).body));
  const one = await order({ machineID: machine });
  assert.equal(one.machineID, machine);
  const [kv] = (await api.store.range({ from: keys.restart(machine, all) })).kvs;
  assert.equal(JSON.parse(Buffer.from(kv?.value ?? []).toString()).order, one.order);
  const everywhere = await order({});
  assert.equal(everywhere.machineID, undefined);
  assert.ok(everywhere.order > one.order);
});

const refusals: readonly (readonly [says: string, request: TestRequest, status: number, text: RegExp])[] = [
  ['a unit that nobody knows', post('x.service'), 404, /^unit does not exist$/],
  ['what is no name', post('x%20y'), 404, /^unit does not exist$/],
  ['a template', post('web@.service'), 400, /^a template does not run: restart its instances$/],
  ['a unit that is not to run', post('idle.service'), 409, /^unit is inactive: start it$/],
  ['another machine', post('web.service', { machineID: 'a'.repeat(32) }), 409, /^unit is not on that machine$/],
  ['a machine that is gone', post(all, { machineID: 'a'.repeat(32) }), 404, /^machine does not exist$/],
  ['what is no machine', post(all, { machineID: ' ' }), 404, /^machine does not exist$/],
  ['a body that says more', post('web.service', { force: true }), 400, /^unable to decode body: /],
  ['what is no JSON', post('web.service', '{'), 400, /^unable to decode body: /],
  ['no type of content', { method: 'POST', url: urlOf('web.service') }, 415, /Content-Type/],
  ['another method', { url: urlOf('web.service') }, 405, /^only POST supported/],
];

for (const [says, request, status, text] of refusals)
  test(`refused: ${says}`, async () => {
    const api = await open();
    const { revision } = await api.store.range({ from: keys.cluster });
    const response = await api.send(request);
    assert.equal(response.status, status, response.body);
    assert.match(errorText(response), text);
    assert.equal((await api.store.range({ from: keys.cluster })).revision, revision);
  });

test('a machine that has no copy of the global unit, or is to have none running, is refused', async () => {
  const api = await open();
  const other = 'b'.repeat(32);
  await api.store.transact({
    success: [{ kind: 'put', key: keys.machine(parseMachineId(other)), value: encodeRecord({}) }],
  });
  assert.equal((await api.send(post(all, { machineID: other }))).status, 409);
  await api.put(all, { desiredState: 'loaded' });
  const stopped = await api.send(post(all, { machineID: machine }));
  assert.match(errorText(stopped), /^unit is stopped everywhere/);
});

test('while the store is away, it is said, or that nobody knows whether it was done', async () => {
  const api = await open();
  api.isReady = false;
  assert.equal((await api.send(post('web.service'))).status, 503);
  api.isReady = true;
  api.store.transact = () => Promise.reject(new StoreError('uncertain', 'no answer'));
  const response = await api.send(post('web.service'));
  assert.equal(response.status, 500);
  assert.match(errorText(response), /not known whether this was done/);
});
