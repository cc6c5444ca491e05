import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RoleSwitch } from './role-switch.js';

test('a role is at work while it is allowed to, and never twice', async () => {
  const told: string[] = [];
  let made = 0;
  const roles = new RoleSwitch({
    create: () => {
      const name = ++made;
      return { name, start: () => void told.push(`start ${name}`) };
    },
    close: async ({ name }) => void told.push(`close ${name}`),
  });
  await roles.set(false);
  void roles.set(true);
  void roles.set(true);
  void roles.set(false);
  await roles.set(true);
  assert.equal(roles.current?.name, 2);
  await roles.close();
  await roles.set(true);
  assert.deepEqual(told, ['start 1', 'close 1', 'start 2', 'close 2']);
  assert.equal(roles.current, undefined);
});
