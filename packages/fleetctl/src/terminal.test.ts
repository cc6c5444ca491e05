import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createScreen, type Screen, type Terminal } from './terminal.js';

async function open(isErrTerminal: boolean): Promise<{ screen: Screen; written: string[] }> {
  const written: string[] = [];
  const terminal: Terminal = {
    out: (text) => written.push(`out ${text}`),
    err: (text) => written.push(`err ${text}`),
    isErrTerminal,
    hasColours: isErrTerminal,
    hasOutColours: false,
  };
  return { screen: await createScreen(terminal), written };
}

test('on a terminal, progress is one line that is taken back before anything else', async () => {
  const { screen, written } = await open(true);
  screen.progress('1 of 2');
  screen.progress('1 of 2');
  screen.out('done');
  screen.progress('2 of 2');
  screen.progress('');
  assert.deepEqual(written, ['err 1 of 2', 'err \r\x1b[K', 'out done\n', 'err 2 of 2', 'err \r\x1b[K']);
  assert.notEqual(screen.palette.bad('no'), 'no');
  assert.equal(screen.outPalette.bad('no'), 'no');
});

test('elsewhere there is no progress and no colour', async () => {
  const { screen, written } = await open(false);
  screen.progress('1 of 2');
  screen.err(screen.palette.bad('no'));
  assert.deepEqual(written, ['err no\n']);
});
