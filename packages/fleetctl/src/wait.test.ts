import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Client, createClient } from '@flotilla/client';
import { TestClock } from '@flotilla/runtime';
import type { UnitEntity, UnitStateEntity } from '@flotilla/schema';
import { createLocalHost } from './local-host.js';
import { createScreen, plainTerminal } from './terminal.js';
import { TestTerminal } from './testing/test-terminal.js';
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
  const terminal = new TestTerminal(isErrTerminal);
  terminal.err = (text) => void lines.push(`${Math.round((clock.monotonicMs() - startedMs) / 1000)} s ${text}`);
  const screen = await createScreen(terminal);
  const context = {
    client,
    reader: new HopelessReader(client),
    host: createLocalHost({ isUser: false }),
    screen,
    clock,
  };
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
    '9 s \r\u001b[Jdb.service: there is no machine (9 s of 10 s)',
    '10 s \r\u001b[J',
    '10 s Unit db.service is not launched after 10 s: there is no machine\n',
  ]);
});

/** Where one unit runs from a moment on; notes when it is asked. */
class SlowReader extends UnitReader {
  readonly lookedMs: number[] = [];
  readonly #clock: TestClock;
  readonly #runsAtMs: number;

  constructor(clock: TestClock, runsAtMs: number) {
    super(createClient({ endpoint: 'unix:///nowhere' }));
    [this.#clock, this.#runsAtMs] = [clock, runsAtMs];
  }

  override async units(names: readonly string[]): Promise<Map<string, UnitEntity>> {
    const unit = { currentState: 'launched', desiredState: 'launched', machineID: 'b1d7' } as const;
    return new Map(names.map((name) => [name, { name, ...unit }]));
  }

  override async states(names: readonly string[]): Promise<Map<string, UnitStateEntity[]>> {
    const nowMs = this.#clock.monotonicMs();
    this.lookedMs.push(nowMs);
    if (nowMs < this.#runsAtMs) return new Map();
    const state = { systemdLoadState: 'loaded', systemdActiveState: 'active', systemdSubState: 'running' };
    return new Map(names.map((name) => [name, [{ name, hash: '', machineID: 'b1d7', ...state }]]));
  }
}

test('one unit is looked at often at first, then ever more rarely; by its end the machines are known', async () => {
  const clock = new TestClock();
  const reader = new SlowReader(clock, 120);
  const out: string[] = [];
  const askedMs: number[] = [];
  const client: Client = {
    ...createClient({ endpoint: 'unix:///nowhere' }),
    listMachines: async () => {
      askedMs.push(clock.monotonicMs());
      return [{ id: 'b1d7', primaryIP: '10.0.0.1' }];
    },
  };
  const screen = await createScreen(plainTerminal({ out: (text) => void out.push(text), err: () => undefined }));
  const expectations = [{ name: 'db.service', goal: 'launched' as const }];
  const waiting = waitForUnits(
    { client, reader, host: createLocalHost({ isUser: false }), screen, clock },
    { expectations, changes: 1, limitMs: 60_000 },
  );
  await clock.advance(1000);
  assert.deepEqual(await waiting, new Map([['db.service', 'done']]));
  assert.deepEqual(reader.lookedMs.map(Math.floor), [30, 40, 50, 60, 70, 80, 90, 101, 113, 128]);
  assert.deepEqual(askedMs, [30]);
  assert.deepEqual(out, ['Unit db.service launched on b1d7.../10.0.0.1\n']);
});
