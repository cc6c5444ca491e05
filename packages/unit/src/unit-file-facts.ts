import { expandSpecifiers } from './requirement-values.js';
import type { UnitFile, UnitName } from './unit-model.js';

/** The first `Description=` in `[Unit]`. */
export function describeUnit(file: UnitFile): string | undefined {
  return file.options.find(({ section, name }) => section === 'Unit' && name === 'Description')?.value;
}

/** {@link describeUnit} as systemd shows it of this unit: with what `%n`, `%N`, `%p` and `%i` stand for, unless it is a template. */
export function describeInstance(file: UnitFile, name: UnitName): string | undefined {
  const description = describeUnit(file);
  if (description === undefined) return undefined;
  const { text, isOpen } = expandSpecifiers(description, name);
  return isOpen ? description : text;
}

/** Whether the file has an `[Install]` section, and so can be enabled. */
export function hasInstallSection(file: UnitFile): boolean {
  return file.options.some(({ section }) => section === 'Install');
}
