import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '@flotilla/runtime';
import { isLong, labObstacle } from '../lab/index.js';
import { runChaos } from './chaos.js';

/** With faults of most kinds in its first half minute. */
const usualSeed = 5;

describe('a cluster that is harmed at random', { skip: labObstacle() }, () => {
  it(`has all that was accepted, once, and stops nothing for nothing, for ${isLong ? '10 minutes' : 'a moment'}`, async (context) => {
    const lines: string[] = [];
    const seed = isLong ? Math.floor(systemClock.random() * 1_000_000) : usualSeed;
    const { failures } = await runChaos({
      seed,
      minutes: isLong ? 10 : 0.5,
      say: (line) => lines.push(line),
    });
    // A run that passes slowly has something to tell, too.
    for (const line of lines.filter((each) => / (round|over|checked) /.test(each))) context.diagnostic(line);
    assert.deepEqual(failures, [], [`seed ${seed}`, ...failures, 'all events:', ...lines].join('\n'));
  });
});
