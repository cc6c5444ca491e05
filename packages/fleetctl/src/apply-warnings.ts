import type { FolderUnit } from '@flotilla/folder';
import { unitNameParts } from '@flotilla/unit';
import type { ApplyStep } from './apply-plan.js';
import type { Screen } from './terminal.js';
import { findIgnored } from './unit-problems.js';

/** Says of units that are new or changed which of their options are read over; of each text once. */
export function warnOfIgnored(
  screen: Screen,
  steps: readonly ApplyStep[],
  { allowUnknown }: { readonly allowUnknown: boolean },
): void {
  const files = new Map(steps.flatMap(({ name, file }) => (file === undefined ? [] : [[name, file]])));
  const warned = new Set<Uint8Array>();
  for (const { action, file } of steps) {
    if (file === undefined || (action !== 'created' && action !== 'changed') || warned.has(file.bytes)) continue;
    warned.add(file.bytes);
    const { unitFile, lines, source, line } = templateOf(files, file);
    const inSource = lines.map((each) => each + line - 1);
    for (const { message } of findIgnored({ file: unitFile, lines: inSource, source }, { allowUnknown }))
      screen.err(screen.palette.waiting(`Warning: ${message}`));
  }
}

/** Instances without a file of their own have their text from it. */
function templateOf(files: ReadonlyMap<string, FolderUnit>, file: FolderUnit): FolderUnit {
  const template = files.get(unitNameParts(file.name).template ?? '');
  return template?.bytes === file.bytes ? template : file;
}
