import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ClusterSettings,
  defaultSettings,
  findSettingProblem,
  isSettingKey,
  parseSettings,
  type SettingKey,
  settingKeys,
  settingTable,
} from './settings.js';

const read: readonly (readonly [SettingKey, string, Partial<ClusterSettings>])[] = [
  ['strategy', 'binpack', { strategy: 'binpack' }],
  ['max_units', '12', { maxUnits: 12 }],
  ['max_units', 'none', { maxUnits: undefined }],
  ['loss_grace', '1m30s', { lossGraceMs: 90_000 }],
  ['loss_settle', '20s', { lossSettleMs: 20_000 }],
  ['loss_settle', '0s', { lossSettleMs: 0 }],
  ['loss_settle', '0', { lossSettleMs: 0 }],
  ['loss_brake', '75', { lossBrakePercent: 75 }],
  ['loss_brake', '100%', { lossBrakePercent: 100 }],
  ['loss_brake_window', ' 168h ', { lossBrakeWindowMs: 604_800_000 }],
  ['loss_burst', '1%', { lossBurstPercent: 1 }],
  ['loss_interval', '1.5s', { lossIntervalMs: 1500 }],
];

for (const [key, text, changed] of read) {
  test(`${key}=${text}`, () => {
    assert.equal(findSettingProblem(key, text), undefined);
    const { settings, problems } = parseSettings(new Map([[key, text]]));
    assert.deepEqual(settings, { ...defaultSettings, ...changed });
    assert.equal(problems.size, 0);
  });
}

const refused: Readonly<Record<SettingKey, readonly string[]>> = {
  strategy: ['', 'Spread', 'least-loaded', 'toString'],
  max_units: ['', '0', '-1', '1.5', 'None', '1e3', '99999999999999999999'],
  loss_grace: ['', '30', '0s', '-1s', '169h', '0.1ms', 'none'],
  loss_settle: ['', '-1s', '169h', '0.1ms', '1'],
  loss_brake: ['', '0', '101', '50.5%', '%', '5 %'],
  loss_brake_window: ['1d'],
  loss_burst: ['0%'],
  loss_interval: ['10 s'],
};

for (const [key, texts] of Object.entries(refused)) {
  for (const text of texts) {
    test(`no value of ${key}: ${JSON.stringify(text)}`, () => {
      assert.ok(isSettingKey(key));
      const expected = `${key} is ${JSON.stringify(text)}, but must be ${settingTable[key].expected}`;
      assert.equal(findSettingProblem(key, text), expected);
      const { settings, problems } = parseSettings(new Map([[key, text]]));
      assert.deepEqual(settings, defaultSettings);
      assert.deepEqual([...problems], [[key, expected]]);
    });
  }
}

test('a setting that can not be read leaves the others as they are', () => {
  const { settings, problems } = parseSettings(new Map(Object.entries({ strategy: 'best', max_units: '7' })));
  assert.deepEqual(settings, { ...defaultSettings, maxUnits: 7 });
  assert.deepEqual([...problems.keys()], ['strategy']);
});

test('a key of a newer version is passed over, and refused when it is to be set', () => {
  assert.deepEqual(parseSettings(new Map([['colour', 'blue']])).settings, defaultSettings);
  assert.equal(findSettingProblem('stratgy', 'spread'), 'there is no setting "stratgy": did you mean strategy?');
  assert.equal(
    findSettingProblem('constructor', 'x'),
    `there is no setting "constructor": the settings are ${settingKeys.join(', ')}`,
  );
});

test('each default that is a value is one', () => {
  for (const key of settingKeys) {
    const { fallback } = settingTable[key];
    if (fallback.includes('agent_ttl')) continue;
    assert.deepEqual(parseSettings(new Map([[key, fallback]])), { settings: defaultSettings, problems: new Map() });
  }
});
