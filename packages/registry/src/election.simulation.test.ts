import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Schedule, SimulatedElection, type Step, ttlSeconds } from './simulated-election.js';

/** How many schedules are tried: enough to notice a blunder, or what the claim of safety rests on. */
const runsByLength = { short: 300, long: 100_000 };

/** Properties are tried more than so often only in long runs. */
const shortRuns = 200;

const who = fc.integer({ min: 0, max: 2 });
const ms = fc.integer({ min: 1, max: 1.5 * ttlSeconds * 1000 });
const chance = fc.constantFrom(0, 0.02, 0.2);
const faults: fc.Arbitrary<Step>[] = [
  fc.record({ do: fc.constant('stop' as const), who, ms }),
  fc.record({
    do: fc.constant('cut' as const),
    who,
    direction: fc.constantFrom('requests' as const, 'replies' as const, 'both' as const),
    ms,
  }),
  fc.record({ do: fc.constantFrom('break-watches' as const, 'crash' as const, 'resign' as const), who }),
];
const wait: fc.Arbitrary<Step> = fc.record({ do: fc.constant('wait' as const), ms });
const revoke: fc.Arbitrary<Step> = fc.constant({ do: 'revoke' });
const steps = (kinds: readonly fc.Arbitrary<Step>[]) =>
  fc.array(fc.oneof({ arbitrary: wait, weight: kinds.length }, ...kinds), { maxLength: 14 });
/** Only a lease that ends by itself leaves its holder the time to notice: revoking has schedules of its own. */
const schedule: fc.Arbitrary<Schedule> = fc.record({
  steps: fc.oneof({ arbitrary: steps(faults), weight: 3 }, steps([...faults, revoke])),
  weather: fc.record({ lossChance: chance, lateChance: chance, usualDelayMs: fc.constantFrom(20, 900) }),
  seed: fc.integer(),
});

test('over delays, pauses, losses and crashes only the holder of the highest fence writes, and in the end one leads', async () => {
  const isLong = (fc.readConfigureGlobal().numRuns ?? shortRuns) > shortRuns;
  let writes = 0;
  await fc.assert(
    fc.asyncProperty(schedule, async (drawn) => {
      const election = new SimulatedElection(drawn);
      await election.run(drawn.steps);
      writes += election.writes;
    }),
    { numRuns: isLong ? runsByLength.long : runsByLength.short },
  );
  assert.ok(writes > 0);
});
