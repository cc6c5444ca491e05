import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseSettings, printSettings } from './settings.js';

const duration = fc.integer({ min: 1, max: 604_800_000 });
const percent = fc.integer({ min: 1, max: 100 });

const settings = fc.record(
  {
    strategy: fc.constantFrom('spread' as const, 'binpack' as const, 'random' as const),
    maxUnits: fc.option(fc.integer({ min: 1 }), { nil: undefined }),
    lossGraceMs: fc.option(duration, { nil: undefined }),
    lossSettleMs: fc.option(fc.oneof(fc.constant(0), duration), { nil: undefined }),
    lossBrakePercent: percent,
    lossBrakeWindowMs: fc.option(duration, { nil: undefined }),
    lossBurstPercent: percent,
    lossIntervalMs: duration,
  },
  { noNullPrototype: true },
);

test('settings survive being printed and read', () => {
  fc.assert(
    fc.property(settings, (given) => {
      assert.deepEqual(parseSettings(printSettings(given)), { settings: given, problems: new Map() });
    }),
    { numRuns: 200 },
  );
});
