import { type FolderLook, hasFolderMoved, lookAtFolder } from '@flotilla/folder';
import type { Logger } from '@flotilla/runtime';
import { FolderWatch } from './folder-watch.js';

/** One folder on a disk. */
export interface FolderAccess {
  /** Reads what has changed since `previous`. */
  look(previous: FolderLook | undefined): Promise<FolderLook>;
  /** Whether something is different from `previous`, as far as that can be told for little. */
  hasMoved(previous: FolderLook): Promise<boolean>;
  /**
   * Has `onTouched` called when something in the folder changes, or it comes or goes; to be called before each look. Resolves
   * with whether that works for the entries.
   */
  keepWatch(onTouched: () => void): Promise<boolean>;
  close(): void;
}

/** The folder at a path of this machine. */
export function createFolderAccess(path: string, log: Logger): FolderAccess {
  const watch = new FolderWatch({ path, log });
  return {
    look: (previous) => lookAtFolder(path, previous),
    hasMoved: (previous) => hasFolderMoved(path, previous),
    keepWatch: (onTouched) => watch.keepUp(onTouched),
    close: () => watch.close(),
  };
}
