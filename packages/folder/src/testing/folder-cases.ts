import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isUnitName, parseUnitName } from '@flotilla/unit';
import { compileFolder } from '../compile-folder.js';
import type { FolderContent, FolderEntry, FolderFault } from '../folder-model.js';

/** A unit file of two lines. */
export const good = '[Service]\nExecStart=/bin/sleep 1\n';

/** Entries by name: a text, bytes, or a fault; `name -> target` is a link. */
export type Files = Readonly<Record<string, string | Uint8Array | FolderFault>>;

/** A folder without a disk. */
export function toEntries(files: Files): FolderEntry[] {
  return Object.entries(files).map(([key, given]) => {
    const [name = '', target] = key.split(' -> ');
    const content = typeof given === 'string' ? new TextEncoder().encode(given) : given;
    return { name, content, ...(target !== undefined && { target }), signature: '' };
  });
}

export function compile(files: Files): FolderContent {
  return compileFolder(toEntries(files));
}

function units({ units: found }: FolderContent): string[] {
  return [...found.values()].map(({ name, source, line }) => `${name} ${source}:${line}`);
}

function problems({ problems: found }: FolderContent): string[] {
  return found.map(({ source, line, message }) => `${source}:${line ?? ''} ${message}`);
}

function isDoubtful(content: FolderContent, name: string, source = name): boolean {
  return content.isDoubtful(parseUnitName(name), source);
}

/** What a link to nothing has. */
export const dangling: FolderFault = { kind: 'dangling', message: 'is a link to nothing' };
/** What a file has that nobody lets us read. */
export const unreadable: FolderFault = { kind: 'unreadable', message: 'cannot be read' };

/** A folder and what comes of it; what is left out is none. */
export interface Case {
  readonly says: string;
  readonly files: Files;
  readonly units?: readonly string[];
  readonly problems?: readonly RegExp[];
  /** Units read from a source before, as `name source` (the source may be left out). */
  readonly doubtful?: readonly string[];
  /** Of which the folder speaks its mind: they are gone, or as they are among the units. */
  readonly gone?: readonly string[];
}

/** Makes a test of each case. */
export function describeCases(what: string, cases: readonly Case[]): void {
  describe(what, () => {
    for (const { says, files, ...expected } of cases)
      test(says, () => {
        const content = compile(files);
        assert.deepEqual(units(content), expected.units ?? []);
        const found = problems(content);
        const patterns = expected.problems ?? [];
        assert.equal(found.length, patterns.length, `problems: ${JSON.stringify(found)}`);
        for (const [index, pattern] of patterns.entries()) assert.match(found[index] ?? '', pattern);
        for (const each of expected.doubtful ?? [])
          assert.ok(isDoubtful(content, ...placeOf(each)), `${each} is doubtful`);
        for (const each of expected.gone ?? []) assert.ok(!isDoubtful(content, ...placeOf(each)), `${each} is gone`);
      });
  });
}

function placeOf(text: string): [string, string] {
  const [name = '', source = name] = text.split(' ');
  assert.ok(isUnitName(name));
  return [name, source];
}
