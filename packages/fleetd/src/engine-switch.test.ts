import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineSwitch } from './engine-switch.js';

test('an engine runs while it is allowed to, and never twice', async () => {
  const told: string[] = [];
  let made = 0;
  const engines = new EngineSwitch(() => {
    const name = ++made;
    return {
      isLeading: false,
      leadingSinceMs: undefined,
      findLeader: () => undefined,
      explain: () => undefined,
      start: () => told.push(`start ${name}`),
      close: async ({ resign }) => void told.push(`close ${name} ${resign}`),
    };
  });
  await engines.set(false);
  void engines.set(true);
  void engines.set(true);
  void engines.set(false);
  await engines.set(true);
  await engines.close();
  await engines.set(true);
  assert.deepEqual(told, ['start 1', 'close 1 true', 'start 2', 'close 2 true']);
});
