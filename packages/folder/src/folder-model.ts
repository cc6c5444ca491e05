import type { UnitFile, UnitHash, UnitName } from '@flotilla/unit';

/** Why there is nothing to read behind the name of an entry. */
export interface FolderFault {
  /**
   * `dangling`: a link to what is not there. `unreadable` may pass by itself (a full table of open files, a disk that
   * fails); `misnamed` and `drop-in` are wrong whatever is in them.
   */
  readonly kind:
    | 'dangling'
    | 'loop'
    | 'masked'
    | 'directory'
    | 'special'
    | 'too-large'
    | 'open-to-all'
    | 'unreadable'
    | 'misnamed'
    | 'drop-in';
  /** What is wrong and what to do, without the name of the entry. */
  readonly message: string;
}

/** An entry of a folder that means something: see {@link entryKind}. */
export interface FolderEntry {
  /** Without a slash. */
  readonly name: string;
  /** Of a symlink, what it leads to. The same object as long as the bytes are the same. */
  readonly content: Uint8Array | FolderFault;
  /** Of a symlink: what it says, as it stands there. */
  readonly target?: string;
  /** Another one for other content: device, inode, size and times of what was read, and a digest of it. */
  readonly signature: string;
  /** It was read twice with this signature: not again before it changes. */
  readonly isSure?: true;
}

/** A unit that a folder has, checked as the API checks one. */
export interface FolderUnit {
  readonly name: UnitName;
  /** Byte for byte. The same object as long as they are the same, and for all instances of one template. */
  readonly bytes: Uint8Array;
  readonly unitFile: UnitFile;
  /** For each option of `unitFile`, its line in `bytes`, counted from 1. */
  readonly lines: readonly number[];
  readonly hash: UnitHash;
  readonly isGlobal: boolean;
  readonly isTemplate: boolean;
  /** The entry that it was read from; of an instance, the list or the link that asks for it. */
  readonly source: string;
  /** Where in `source` its bytes begin, or the line that lists it; counted from 1. */
  readonly line: number;
}

/** Something that is wrong in a folder. */
export interface FolderProblem {
  /** Name of an entry, safe to print. */
  readonly source: string;
  /** In `source`, counted from 1. */
  readonly line?: number;
  /** What is wrong, with the option that it is about, and what to do; safe to print, without `source` and line. */
  readonly message: string;
}

/** What a folder holds. */
export interface FolderContent {
  /** By name, in order of names. */
  readonly units: ReadonlyMap<UnitName, FolderUnit>;
  /** By source, then line. */
  readonly problems: readonly FolderProblem[];
  /**
   * Whether what the folder says of a unit that was read from `source` before counts for nothing, so that the unit is to
   * stay as it is. Of one that is not among `units`: it may be missing only because its source or its template can't be
   * read, or because it is there twice; if not, it is gone. Of one that is: a list makes it of a template now, and the
   * bundle that it came from, which would win, can't be read.
   */
  isDoubtful(name: UnitName, source: string): boolean;
}
