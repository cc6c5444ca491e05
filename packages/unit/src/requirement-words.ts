import { findNearest } from './nearest.js';
import { type RequirementItem, type RequirementsSource, refuse } from './requirement-items.js';

/** The last of an option's values, if it is one of `words`; each value has to be one, unless the instance is yet to name it. */
export function lastWord<Word extends string>(
  input: RequirementsSource,
  items: readonly RequirementItem[],
  words: readonly Word[],
): Word | undefined {
  let last: Word | undefined;
  for (const item of items) {
    const { text, isOpen } = item;
    last = words.find((word) => word === text);
    if (last !== undefined || isOpen) continue;
    const nearest = text === '' ? undefined : findNearest(text, words);
    const advice = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    refuse(input, item, `is none of ${words.join(', ')}: "${text}"${advice}`);
  }
  return last;
}
