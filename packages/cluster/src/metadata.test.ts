import assert from 'node:assert/strict';
import { test } from 'node:test';
import { effectiveMetadata } from './metadata.js';

const own = new Map(Object.entries({ region: 'eu', role: 'db' }));

test('what is set lies over what the machine has of its own, and an empty value hides it', () => {
  const overrides = new Map(Object.entries({ role: 'web', region: '', rack: '7', disk: '' }));
  assert.deepEqual(Object.fromEntries(effectiveMetadata(own, overrides)), { role: 'web', rack: '7' });
  assert.deepEqual(Object.fromEntries(own), { region: 'eu', role: 'db' });
});
