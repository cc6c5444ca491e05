import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUnitName } from '@flotilla/unit';
import type { LaunchState } from './cluster-model.js';
import { currentState, isWanted } from './launch-state.js';
import { parseMachineId } from './machine-id.js';

const placement = parseMachineId('a');

test('a unit without placement or without a state row there is inactive', () => {
  assert.equal(currentState({ placement: undefined, state: { isLaunched: true } }), 'inactive');
  assert.equal(currentState({ placement, state: undefined }), 'inactive');
});

test('a placed unit with a state row is loaded, and launched once it was started', () => {
  assert.equal(currentState({ placement, state: { isLaunched: false } }), 'loaded');
  assert.equal(currentState({ placement, state: { isLaunched: true } }), 'launched');
});

test('a unit is wanted unless it is inactive or a template', () => {
  const isWantedAs = (name: string, desiredState: LaunchState) => isWanted({ name: parseUnitName(name), desiredState });
  assert.equal(isWantedAs('a.service', 'inactive'), false);
  assert.equal(isWantedAs('a.service', 'loaded'), true);
  assert.equal(isWantedAs('a@.service', 'launched'), false);
  assert.equal(isWantedAs('a@1.service', 'launched'), true);
});
