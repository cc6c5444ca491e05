import type { UnitFile } from './unit-model.js';

/** The first `Description=` in `[Unit]`. */
export function describeUnit(file: UnitFile): string | undefined {
  return file.options.find(({ section, name }) => section === 'Unit' && name === 'Description')?.value;
}

/** Whether the file has an `[Install]` section, and so can be enabled. */
export function hasInstallSection(file: UnitFile): boolean {
  return file.options.some(({ section }) => section === 'Install');
}
