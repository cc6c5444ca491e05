import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '@flotilla/registry';
import { type SettingEntity, type SettingsAnswer, settingsAnswerSchema } from '@flotilla/schema';
import { errorText, TestApi } from './api-harness.js';

const url = '/fleet/v2/settings';

async function settings(api: TestApi): Promise<Record<string, SettingEntity>> {
  const { status, body } = await api.send({ url });
  assert.equal(status, 200);
  const answer: SettingsAnswer = settingsAnswerSchema.parse(JSON.parse(body));
  return Object.fromEntries(answer.settings.map((setting) => [setting.key, setting]));
}

test('without anything set there are the defaults', async () => {
  const api = new TestApi();
  const all = await settings(api);
  assert.deepEqual(Object.keys(all), [
    'strategy',
    'max_units',
    'loss_grace',
    'loss_settle',
    'loss_brake',
    'loss_brake_window',
    'loss_burst',
    'loss_interval',
  ]);
  for (const { isSet, value, default: fallback } of Object.values(all)) {
    assert.equal(isSet, false);
    assert.equal(value, fallback);
  }
});

test('what is put holds, null resets, and the rest stays', async () => {
  const api = new TestApi();
  await api.send({ method: 'PUT', url, body: { strategy: 'random', loss_grace: '90s' } });
  const response = await api.send({ method: 'PUT', url, body: { max_units: 12, strategy: null, loss_burst: ' 20 ' } });
  assert.equal(response.status, 200);
  const all = await settings(api);
  assert.deepEqual(JSON.parse(response.body), { settings: Object.values(all) });
  const told = Object.values(all).filter(({ isSet }) => isSet);
  assert.deepEqual(
    told.map(({ key, value }) => [key, value]),
    [
      ['max_units', '12'],
      ['loss_grace', '90s'],
      ['loss_burst', '20'],
    ],
  );
  assert.equal(all.strategy?.value, 'spread');
});

test('of several that are wrong all are named, and nothing is set', async () => {
  const api = new TestApi();
  const body = { loss_brake: '10%', strategy: 'best', max_unit: 3, loss_gracee: null, max_units: true };
  const response = await api.send({ method: 'PUT', url, body: { ...body, max_units: 0 } });
  assert.equal(response.status, 400);
  assert.deepEqual(errorText(response).split('; '), [
    'strategy is "best", but must be spread, binpack or random',
    'there is no setting "max_unit": did you mean max_units?',
    'there is no setting "loss_gracee": did you mean loss_grace?',
    'max_units is "0", but must be a whole number from 1, or none',
  ]);
  const other = await api.send({ method: 'PUT', url, body });
  assert.match(errorText(other), /^unable to decode body: max_units: must be a text, a number or null$/);
  for (const { isSet } of Object.values(await settings(api))) assert.equal(isSet, false);
});

test('a stored value that can not be used is told of, and the default holds', async () => {
  const api = new TestApi();
  await api.write(keys.setting('strategy'), { value: 'best' });
  const { strategy } = await settings(api);
  assert.equal(strategy?.value, 'spread');
  assert.equal(strategy?.isSet, true);
  assert.match(strategy?.problem ?? '', /^strategy is "best"/);
});

test('only JSON is taken', async () => {
  const api = new TestApi();
  const put = { method: 'PUT', url, body: '{"strategy":"random"}' };
  assert.equal((await api.send({ ...put, headers: {} })).status, 415);
  assert.equal((await api.send({ ...put, headers: { 'content-type': ['text/plain'] } })).status, 415);
  assert.equal((await api.send({ ...put, body: '[]' })).status, 400);
  assert.equal((await settings(api)).strategy?.isSet, false);
});

test('another method is told which there are', async () => {
  const response = await new TestApi().send({ method: 'POST', url, body: {} });
  assert.equal(response.status, 405);
  assert.equal(errorText(response), 'only GET and PUT supported against this resource');
});
