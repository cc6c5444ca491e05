import type { Alarm } from '@flotilla/api';
import type { DirectoryDescription } from '@flotilla/directories';

type Held = NonNullable<DirectoryDescription['held']>;

/** What is to be said of removals that a directory holds back, and when they would come to pass. */
const reasons: Readonly<Record<Held['why'], readonly [what: string, end: string]>> = {
  'most-gone': ['more than half of its files are gone', 'put them back'],
  'directory-gone': ['it is not there', 'bring it back (a file system may not be mounted)'],
  'another-directory': ['another one is in its place, with none of its files', 'bring the former one back'],
  'older-copy': ['the disk is older than what this host has told of it', 'put the files back that are missing'],
  'not-configured': ['unit_dirs does not name it any more', 'name it again'],
};

/** What an operator is to know of the directories of this host. */
export function directoryAlarms(directories: readonly DirectoryDescription[]): Alarm[] {
  return directories.flatMap(({ name, path, held }) => {
    if (held === undefined) return [];
    const [what, end] = reasons[held.why];
    const where = path === '' ? '' : ` (${path})`;
    const units = held.count === 1 ? '1 unit stays' : `${held.count} units stay`;
    const message = `the directory ${name}${where} holds back removals: ${what}, so ${units}. To keep them, ${end}; to have them destroyed, fleetctl dirs confirm ${name}`;
    return [{ code: 'directory-held', message }];
  });
}
