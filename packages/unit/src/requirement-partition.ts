import { findNearest } from './nearest.js';
import { type RequirementItem, type RequirementsSource, refuse } from './requirement-items.js';
import type { EffectiveItems } from './requirement-rules.js';
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
  for (const item of OnPartition) checkWord(input, item);
  const times = OnPartitionStopSec.map((item) => readTime(input, item));
  const last = OnPartition.at(-1);
  if (last?.text === 'stop') return { afterMs: times.at(-1) ?? defaultMs };
  const [time] = OnPartitionStopSec;
  if (time !== undefined && last?.isOpen !== true) refuse(input, time, 'says nothing without OnPartition=stop');
  return undefined;
}

function checkWord(input: RequirementsSource, item: RequirementItem): void {
  const { text, isOpen } = item;
  if (isOpen || words.some((word) => word === text)) return;
  const nearest = text === '' ? undefined : findNearest(text, words);
  refuse(
    input,
    item,
    `is none of ${words.join(', ')}: "${text}"${nearest === undefined ? '' : `; did you mean ${nearest}?`}`,
  );
}

function readTime(input: RequirementsSource, item: RequirementItem): number {
  const { text, isOpen } = item;
  const ms = parseTimeSpanMs(text);
  if (ms !== undefined && ms <= longestMs) return ms;
  if (isOpen) return defaultMs;
  return refuse(input, item, `wants a time from 0 to 1h, like 10s or 1min 30s, but has "${text}"`);
}
