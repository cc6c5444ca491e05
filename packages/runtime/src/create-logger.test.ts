import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FleetError } from '@flotilla/errors';
import { createLogger, isJournal } from './create-logger.js';

function linesOf(format: 'journal' | 'text' | 'json', level: 'debug' | 'info' = 'info') {
  const lines: string[] = [];
  return { lines, log: createLogger({ level, format, write: (line) => lines.push(line) }) };
}

test('a journal line begins with the priority that journald reads', () => {
  const { lines, log } = linesOf('journal', 'debug');
  log.debug('a');
  log.info('b');
  log.warn('c');
  log.error('d');
  assert.deepEqual(lines, ['<7>a\n', '<6>b\n', '<4>c\n', '<3>d\n']);
});

test('fields follow the message, quoted where they need it', () => {
  const { lines, log } = linesOf('text');
  log.child({ pass: 3 }).info('unit started', { unit: 'web.service', why: 'it was asked', none: undefined });
  assert.deepEqual(lines, ['INFO unit started pass=3 unit=web.service why="it was asked"\n']);
});

test('an error is one line that tells its causes', () => {
  const { lines, log } = linesOf('text');
  log.warn('failed', { error: new FleetError('x', 'no answer', { cause: new Error('refused\nby peer') }) });
  log.warn('failed', { error: new FleetError('x', 'no answer: refused', { cause: new Error('refused') }) });
  assert.deepEqual(lines, [
    'WARN failed error="no answer: refused\\nby peer"\n',
    'WARN failed error="no answer: refused"\n',
  ]);
});

test('a programming error brings its stack', () => {
  const { lines, log } = linesOf('text');
  log.error('failed', { error: new TypeError('x is not a function') });
  assert.match(lines.join(''), /x is not a function\\n {4}at /);
});

test('lines below the level are not written', () => {
  const { lines, log } = linesOf('text');
  log.debug('quiet');
  assert.deepEqual(lines, []);
});

test('a JSON line has time, level, message, fields and the error’s code', () => {
  const { lines, log } = linesOf('json');
  log.info('failed', { unit: 'a.service', error: new FleetError('store-uncertain', 'no answer') });
  const line = JSON.parse(lines.join('')) as Record<string, Record<string, unknown>>;
  assert.equal(line['msg'], 'failed');
  assert.equal(line['error']?.['code'], 'store-uncertain');
  assert.equal(typeof line['time'], 'number');
});

test('standard error is a journal only if the variable names its very device and inode', () => {
  assert.equal(isJournal(undefined), false);
  assert.equal(isJournal('1:2'), false);
  assert.equal(isJournal('1:2', 987), false);
});
