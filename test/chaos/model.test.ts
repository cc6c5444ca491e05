import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientModel, describe, type Outcome } from './model.js';
import type { Wish } from './plan.js';

const put: Wish = { verb: 'put', version: 0, state: 'launched' };
const stop: Wish = { verb: 'ask', state: 'loaded' };
const start: Wish = { verb: 'ask', state: 'launched' };
const destroy: Wish = { verb: 'delete' };
const restart: Wish = { verb: 'restart' };

type Step = readonly [wish: Wish, outcome: Outcome];
const rows: Readonly<Record<string, readonly [steps: readonly Step[], possible: readonly string[]]>> = {
  'nothing is registered at first': [[], ['unknown']],
  'what was answered is so': [
    [
      [put, 'done'],
      [stop, 'done'],
    ],
    ['version 0, loaded'],
  ],
  'what was refused is not so': [
    [
      [put, 'done'],
      [stop, 'not-done'],
    ],
    ['version 0, launched'],
  ],
  'without an answer both are possible': [
    [
      [put, 'done'],
      [stop, 'uncertain'],
    ],
    ['version 0, launched', 'version 0, loaded'],
  ],
  'an operation without an answer may come after a later one': [
    [
      [put, 'done'],
      [stop, 'uncertain'],
      [start, 'done'],
    ],
    ['version 0, launched', 'version 0, loaded'],
  ],
  'it may come once only': [
    [
      [put, 'uncertain'],
      [destroy, 'done'],
      [destroy, 'missing'],
    ],
    ['unknown'],
  ],
  'an answer tells what became of an earlier operation': [
    [
      [put, 'uncertain'],
      [stop, 'done'],
    ],
    ['version 0, loaded'],
  ],
  'a restart starts what is stopped': [
    [
      [put, 'done'],
      [stop, 'done'],
      [restart, 'done'],
    ],
    ['version 0, launched'],
  ],
  'a restart of what is inactive is refused': [
    [
      [{ ...put, state: 'inactive' }, 'done'],
      [restart, 'missing'],
    ],
    ['version 0, inactive'],
  ],
  'a restart without an answer may come when it can': [
    [
      [put, 'done'],
      [stop, 'done'],
      [restart, 'uncertain'],
    ],
    ['version 0, launched', 'version 0, loaded'],
  ],
  'fleetctl start --replace overlooks comments': [
    [
      [put, 'done'],
      [{ verb: 'run', version: 1 }, 'done'],
    ],
    ['version 0, launched'],
  ],
  'it replaces other content': [
    [
      [put, 'done'],
      [{ verb: 'run', version: 2 }, 'done'],
    ],
    ['version 2, launched'],
  ],
};

for (const [title, [steps, possible]] of Object.entries(rows))
  test(title, () => {
    const model = new ClientModel();
    for (const [wish, outcome] of steps) assert.equal(model.note('a', wish, outcome), undefined);
    assert.deepEqual(model.possible('a').map(describe).sort(), [...possible].sort());
  });

test('an answer that can not be is told', () => {
  const model = new ClientModel();
  assert.match(model.note('a', stop, 'done') ?? '', /a: "done" is no answer to loaded, as it is unknown/);
  model.note('a', put, 'done');
  assert.match(model.note('a', destroy, 'missing') ?? '', /no answer to destroy, as it is version 0, launched/);
});

test('once it is seen, one thing is possible, and nothing comes late', () => {
  const model = new ClientModel();
  model.note('a', put, 'done');
  model.note('a', destroy, 'uncertain');
  model.settle('a', { version: 0, state: 'launched' });
  assert.deepEqual(model.possible('a').map(describe), ['version 0, launched']);
});
