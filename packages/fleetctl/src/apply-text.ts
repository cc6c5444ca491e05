import type { FolderUnit } from '@flotilla/folder';
import type { ApplyAction, ApplyStep } from './apply-plan.js';
import { countActions } from './apply-plan.js';
import { machineIdLabel } from './machine-label.js';
import type { Palette } from './terminal.js';

/** Where a file is to be found: with the line, if it is one of several in it. */
export function placeOf({ source, line }: FolderUnit): string {
  return line === 1 ? source : `${source}:${line}`;
}

/**
 * What would become of a unit, as a line; `undefined` if nothing would.
 *
 * @param twin The unit that changes in the same way, if that has been shown.
 */
export function stepLine(step: ApplyStep, palette: Palette, twin?: string): string | undefined {
  const { name, action, file } = step;
  const from = file === undefined ? '' : ` (${placeOf(file)})`;
  switch (action) {
    case 'created':
      return palette.good(`create ${name}${from}`);
    case 'changed':
      return palette.waiting(`change ${name}${from}${twin === undefined ? '' : ` as ${twin}`}${sideEffect(step)}`);
    case 'destroyed':
      return palette.bad(`destroy ${name}`);
    case 'kept':
      return `keep ${name}: ${keptText(step)}`;
    case 'unchanged':
    case 'conflict':
      return undefined;
  }
}

/** Why a unit stays that has no file any more. */
export function keptText({ stored, holders = [] }: ApplyStep): string {
  if (stored === undefined) return 'it is destroyed already';
  if (holders.length === 0)
    return stored.owner === undefined ? 'it belongs to no directory by now' : `it belongs to "${stored.owner}" by now`;
  return `it is in the directory of that name on ${holders.map((id) => machineIdLabel(id)).join(', ')}`;
}

/** What a change does beside what its author may expect. */
function sideEffect({ stored, file, isCommentOnly }: ApplyStep): string {
  if (file?.isTemplate === true || stored === undefined) return '';
  if (stored.desiredState !== 'launched') return `: it is ${stored.desiredState}, and will be started`;
  return isCommentOnly === true ? ': only comments, nothing restarts' : '';
}

/** Whether a change leaves what runs alone. */
export function isQuietChange({ action, isCommentOnly, file, stored }: ApplyStep): boolean {
  if (action !== 'changed' || isCommentOnly !== true) return false;
  return file?.isTemplate === true || stored?.desiredState === 'launched';
}

const tenses: Readonly<Record<'planned' | 'done', Readonly<Record<ApplyAction, string>>>> = {
  planned: {
    created: 'to create',
    changed: 'to change',
    unchanged: 'unchanged',
    destroyed: 'to destroy',
    kept: 'to keep',
    conflict: 'of others',
  },
  done: {
    created: 'created',
    changed: 'changed',
    unchanged: 'unchanged',
    destroyed: 'destroyed',
    kept: 'kept',
    conflict: 'of others',
  },
};

/** `3 created, 1 changed, 996 unchanged`. */
export function countsText(steps: readonly ApplyStep[], tense: 'planned' | 'done'): string {
  const counts = countActions(steps);
  const quiet = steps.filter(isQuietChange).length;
  const actions = Object.keys(tenses.done).filter(isAction);
  const parts = actions.flatMap((action) => {
    if (counts[action] === 0) return [];
    const note =
      action === 'changed' && quiet > 0 ? ` (${quiet === counts.changed ? '' : `${quiet} `}only comments)` : '';
    return [`${counts[action]} ${tenses[tense][action]}${note}`];
  });
  return parts.join(', ');
}

function isAction(text: string): text is ApplyAction {
  return Object.hasOwn(tenses.done, text);
}

/** A unified diff in colours. What would move the cursor is shown as `^X`, as `less` does. */
export function paintDiff(diff: string, palette: Palette): string {
  const paint = (line: string) => {
    if (line.startsWith('+')) return palette.good(line);
    if (line.startsWith('-')) return palette.bad(line);
    return line.startsWith('@') ? palette.waiting(line) : line;
  };
  return diff
    .split('\n')
    .map((line) => paint(line.replace(controls, caret)))
    .join('\n');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about.
const controls = /[\x00-\x08\x0b-\x1f\x7f]/g;

function caret(character: string): string {
  return `^${String.fromCharCode(character.charCodeAt(0) ^ 0x40)}`;
}
