import type { UnitOptionEntity } from '@flotilla/schema';

/** The options of a unit file, as the API has them: as much as unit files of tests need. */
export function optionsOf(file: string): UnitOptionEntity[] {
  return file.split('\n').flatMap((line) => {
    const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [{ section: sectionOf(file, line), name, value }];
  });
}

function sectionOf(file: string, line: string): string {
  return [...file.slice(0, file.indexOf(line)).matchAll(/^\[(.*)\]$/gm)].at(-1)?.[1] ?? '';
}
