import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '@flotilla/client';
import { TestClock } from '@flotilla/runtime';
import type { UnitEntity, UnitStateEntity } from '@flotilla/schema';
import { createScreen } from './terminal.js';
import { UnitReader } from './unit-reader.js';
import { waitForUnits } from './wait.js';

/** Where each unit waits for the same for ever. */
class HopelessReader extends UnitReader {
  override async units(names: readonly string[]): Promise<Map<string, UnitEntity>> {
    return new Map(
      names.map((name): [string, UnitEntity] => [
        name,
        { name, currentState: 'inactive', desiredState: 'launched', reason: 'there is no machine' },
      ]),
    );
  }

  override async states(): Promise<Map<string, UnitStateEntity[]>> {
    return new Map();
  }
}

async function wait(isErrTerminal: boolean, limitMs: number): Promise<string[]> {
  const clock = new TestClock();
  const client = createClient({ endpoint: 'unix:///nowhere' });
  const lines: string[] = [];
  const startedMs = clock.monotonicMs();
  const screen = await createScreen({
    out: () => undefined,
    err: (text) => lines.push(`${Math.round((clock.monotonicMs() - startedMs) / 1000)} s ${text}`),
    isErrTerminal,
    hasColours: false,
    hasOutColours: false,
  });
  const context = { client, reader: new HopelessReader(client), screen, clock };
  const expectations = [{ name: 'db.service', goal: 'launched' as const }];
  const waiting = waitForUnits(context, { expectations, changes: 1, limitMs });
  await clock.advance(limitMs);
  assert.deepEqual(await waiting, new Map([['db.service', 'pending']]));
  return lines;
}

test('where no line can be taken back, what is waited for is told ever more rarely', async () => {
  const lines = await wait(false, 60_000);
  const told = 'waiting for 1 of 1 units; db.service: there is no machine\n';
  const end = 'Unit db.service is not launched after 60 s: there is no machine\n';
  assert.deepEqual(lines, [`5 s ${told}`, `10 s ${told}`, `21 s ${told}`, `42 s ${told}`, `60 s ${end}`]);
});

test('on a terminal it is told at once, in a line that is taken back', async () => {
  const lines = await wait(true, 10_000);
  assert.deepEqual(lines.slice(-3), [
    '1 s waiting for 1 of 1 units; db.service: there is no machine',
    '10 s \r\u001b[K',
    '10 s Unit db.service is not launched after 10 s: there is no machine\n',
  ]);
});
