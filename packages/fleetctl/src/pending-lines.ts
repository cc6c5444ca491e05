import { formatDuration } from './duration.js';
import type { Expectation, Goal } from './verdict.js';

/** Up to so many units are told of one by one. Taste: half a screen. */
const mostLines = 10;
/** Of more that wait for the same, so many are named. */
const mostNames = 3;

const phrases: Readonly<Record<Goal, string>> = {
  inactive: 'inactive',
  loaded: 'loaded',
  launched: 'launched',
  stopped: 'stopped',
  gone: 'gone',
  somewhere: 'on any machine',
};

/** What is to be said of units that are not as expected when the wait is over: why, for each; if many wait for the same, once. */
export function pendingLines(
  pending: ReadonlyMap<string, { readonly expectation: Expectation; readonly why: string }>,
  limitMs: number,
): string[] {
  const namesByText = new Map<string, string[]>();
  for (const [name, { expectation, why }] of pending) {
    const text = `not ${phrases[expectation.goal]} after ${formatDuration(limitMs)}: ${why}`;
    const names = namesByText.get(text) ?? [];
    names.push(name);
    namesByText.set(text, names);
  }
  return [...namesByText].flatMap(([text, names]) => {
    if (pending.size <= mostLines || names.length <= mostNames) return names.map((name) => `Unit ${name} is ${text}`);
    const named = names.slice(0, mostNames).join(', ');
    return [`Units ${named} and ${names.length - mostNames} more are ${text}`];
  });
}
