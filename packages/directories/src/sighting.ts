import { compileFolder, type FolderContent, type FolderLook } from '@flotilla/folder';
import type { Clock } from '@flotilla/runtime';
import type { FolderAccess } from './folder-access.js';
import { expectEntries, type Settling, settle } from './settle.js';

/** A directory that is moved away and put back by a tool is not gone. */
const goneMs = 1_000;
/** Contents of entries are looked for so often even if nothing tells of a change. */
const lookMs = 60_000;

/** What a directory counts as. Times are of the monotonic clock. */
export type Sight =
  /** It was there a moment ago. */
  | { readonly kind: 'unsettled'; readonly dueMs: number }
  | {
      readonly kind: 'missing';
      readonly why: 'directory-gone' | 'not-configured';
      /** What is wrong and what to do, without the path. */
      readonly message: string;
      readonly dueMs: number;
    }
  | {
      readonly kind: 'there';
      /** Device, inode and birth. */
      readonly place: string;
      readonly content: FolderContent;
      readonly unknown: ReadonlySet<string>;
      /** Whether everything counts as it is. */
      readonly isSettled: boolean;
      readonly dueMs: number;
    };

export type SettledSight = Exclude<Sight, { readonly kind: 'unsettled' }>;

/** Looks at one directory and says what it counts as. */
export class Sighting {
  readonly #folder: FolderAccess;
  readonly #clock: Clock;
  #look: FolderLook | undefined;
  #settling: Settling = new Map();
  #content: FolderContent | undefined;
  #missingSinceMs: number | undefined;
  #isWatched = false;

  constructor(folder: FolderAccess, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  /** Entries that were there before this process was. Before the first look. */
  expect(entries: Iterable<string>): void {
    this.#settling = expectEntries(entries);
  }

  /** Whether there is something to look at, as far as that can be told for little. */
  async isTouched(): Promise<boolean> {
    return !this.#isWatched || this.#look === undefined || this.#folder.hasMoved(this.#look);
  }

  async look(onTouched: () => void): Promise<Sight> {
    // In this order: what changes meanwhile is told by the watch.
    this.#isWatched = await this.#folder.keepWatch(onTouched);
    const look = await this.#folder.look(this.#look);
    const nowMs = this.#clock.monotonicMs();
    this.#look = look;
    if (look.kind === 'missing') {
      this.#missingSinceMs ??= nowMs;
      const isGoneAtMs = this.#missingSinceMs + goneMs;
      if (nowMs < isGoneAtMs) return { kind: 'unsettled', dueMs: isGoneAtMs };
      return { kind: 'missing', why: 'directory-gone', message: look.message, dueMs: nowMs + lookMs };
    }
    this.#missingSinceMs = undefined;
    const settled = settle(this.#settling, { entries: look.entries, nowMs });
    this.#settling = settled.settling;
    if (settled.isNews || this.#content === undefined) this.#content = compileFolder(settled.entries);
    return {
      kind: 'there',
      place: look.place,
      content: this.#content,
      unknown: settled.unknown,
      isSettled: settled.dueMs === undefined,
      dueMs: settled.dueMs ?? nowMs + lookMs,
    };
  }

  close(): void {
    this.#folder.close();
  }
}
