import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileConfig } from '../compile-config.js';
import { parseConfigFile } from '../config-file.js';
import { optionNames } from '../options.js';
import { sampleConfig } from './sample-config.js';

test('the sample sets nothing', () => {
  const { values, warnings } = parseConfigFile(sampleConfig(), 'sample');
  assert.deepEqual([...values], []);
  assert.deepEqual(warnings, []);
});

test('the sample has every option once, and its defaults are those that hold without it', () => {
  const uncommented = sampleConfig().replaceAll(/^#(?=[a-z_]+ =)/gm, '');
  const { values, warnings } = parseConfigFile(uncommented, 'sample');
  assert.deepEqual([...values.keys()].sort(), [...optionNames].sort());
  assert.deepEqual(warnings, []);
  const { etcd, ...rest } = compileConfig([]);
  assert.deepEqual(compileConfig([values]), { ...rest, etcd: { ...etcd, isTold: true } });
  for (const name of optionNames) assert.equal(uncommented.split(`\n${name} =`).length, 2, name);
});

test('a user’s sample has the user’s defaults', () => {
  const state = { text: '/home/ann/.local/state/fleet', source: '--user' };
  const sample = sampleConfig(new Map([['state_directory', state]]));
  assert.match(sample, /systemctl --user reload fleet/);
  assert.match(sample, /^#state_directory = \/home\/ann\/.local\/state\/fleet$/m);
  assert.match(sample, /^#agent_ttl = 30s$/m);
});

test('every line of the sample is a comment that fits a terminal', () => {
  for (const line of sampleConfig().split('\n')) assert.match(line, /^(#.{0,119})?$/);
});
