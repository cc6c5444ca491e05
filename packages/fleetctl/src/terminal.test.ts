import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createScreen, type Screen } from './terminal.js';
import { TestTerminal } from './testing/test-terminal.js';

async function open(isTerminal: boolean): Promise<{ screen: Screen; terminal: TestTerminal }> {
  const terminal = new TestTerminal(isTerminal, { hasColours: isTerminal });
  return { screen: await createScreen(terminal), terminal };
}

test('on a terminal, progress is one line that is taken back before anything else', async () => {
  const { screen, terminal } = await open(true);
  screen.progress('1 of 2');
  screen.progress('1 of 2');
  screen.out('done');
  screen.progress('2 of 2');
  screen.progress();
  assert.deepEqual(terminal.written, [
    ['err', '1 of 2'],
    ['err', '\r\x1b[J'],
    ['out', 'done\n'],
    ['err', '2 of 2'],
    ['err', '\r\x1b[J'],
  ]);
  assert.notEqual(screen.palette.bad('no'), 'no');
});

test('elsewhere there is no progress and no colour', async () => {
  const { screen, terminal } = await open(false);
  screen.progress('1 of 2');
  screen.err(screen.palette.bad('no'));
  assert.deepEqual(terminal.written, [['err', 'no\n']]);
});
