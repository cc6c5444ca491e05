import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { createLogger } from '@flotilla/runtime';
import { takeSignals } from './signals.js';

function signalled() {
  const from = new EventEmitter();
  const [lines, written]: [string[], string[]] = [[], []];
  const log = createLogger({ level: 'info', format: 'text', write: (line) => lines.push(line) });
  return { from, lines, written, signals: takeSignals({ log, write: (text) => written.push(text), from }) };
}

test('SIGTERM and SIGINT ask to end, once and for all', async () => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    const { from, lines, signals } = signalled();
    const next = signals.next();
    from.emit(signal);
    assert.equal(await next, 'end');
    assert.equal(await signals.next(), 'end');
    assert.equal(signals.end.aborted, true);
    assert.deepEqual(lines, [`INFO Gracefully shutting down signal=${signal}\n`]);
  }
});

test('any number of SIGHUPs is one reload, also of those that came before anybody has asked', async () => {
  const { from, signals } = signalled();
  from.emit('SIGHUP');
  from.emit('SIGHUP');
  assert.equal(await signals.next(), 'reload');
  let later = '';
  void signals.next().then((wish) => {
    later = wish;
  });
  await Promise.resolve();
  assert.equal(later, '');
  from.emit('SIGHUP');
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(later, 'reload');
});

test('the wish to end comes before one to reload, and a SIGHUP after it is only noted', async () => {
  const { from, lines, signals } = signalled();
  from.emit('SIGHUP');
  from.emit('SIGTERM');
  from.emit('SIGHUP');
  assert.equal(await signals.next(), 'end');
  assert.match(lines.at(-1) ?? '', /not read again: fleetd is ending/);
});

test('SIGUSR1 writes one line of JSON, also before there is anything to tell', () => {
  const { from, lines, written, signals } = signalled();
  from.emit('SIGUSR1');
  signals.onDump(() => '{"later":1}');
  from.emit('SIGUSR1');
  assert.deepEqual(lines, ['INFO Dumping server state\n', 'INFO Dumping server state\n']);
  assert.deepEqual(
    written.map((text) => text.indexOf('\n') === text.length - 1),
    [true, true],
  );
  assert.deepEqual(
    written.map((text): unknown => JSON.parse(text)),
    [
      {
        Agent: { Cache: { TargetStates: {} } },
        UnitStatePublisher: { Cache: {}, ToPublish: {} },
        UnitStateGenerator: { Subscribed: [] },
        Directories: [],
      },
      { later: 1 },
    ],
  );
});
