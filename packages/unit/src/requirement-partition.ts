import { type RequirementItem, type RequirementsSource, refuse } from './requirement-items.js';
import type { EffectiveItems } from './requirement-rules.js';
import { lastWord } from './requirement-words.js';
import { parseTimeSpanMs } from './time-span.js';
import type { PartitionStop } from './unit-model.js';

const words = ['keep', 'stop'] as const;

/** As long as a container is usually given. */
const defaultMs = 10_000;

/** Its replacement starts no sooner, so a longer time is more likely a mistake. */
const longestMs = 3_600_000;

/** What the last `OnPartition=` says, and the last `OnPartitionStopSec=`; each of them has to make sense. */
export function partitionStopOf(
  input: RequirementsSource,
  { OnPartition, OnPartitionStopSec }: Pick<EffectiveItems, 'OnPartition' | 'OnPartitionStopSec'>,
): PartitionStop | undefined {
  const word = lastWord(input, OnPartition, words);
  const times = OnPartitionStopSec.map((item) => readTime(input, item));
  if (word === 'stop') return { afterMs: times.at(-1) ?? defaultMs };
  const [time] = OnPartitionStopSec;
  if (time !== undefined && OnPartition.at(-1)?.isOpen !== true)
    refuse(input, time, 'says nothing without OnPartition=stop');
  return undefined;
}

function readTime(input: RequirementsSource, item: RequirementItem): number {
  const { text, isOpen } = item;
  const ms = parseTimeSpanMs(text);
  if (ms !== undefined && ms <= longestMs) return ms;
  if (isOpen) return defaultMs;
  return refuse(input, item, `wants a time from 0 to 1h, like 10s or 1min 30s, but has "${text}"`);
}
