import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type CompileOptions, compileEntries } from './compile-folder.js';
import { entryKind, misnameProblem } from './entry-kind.js';
import type { FolderContent, FolderProblem } from './folder-model.js';
import { errorCode } from './io-errors.js';
import { lookAtEntry } from './look-at-entry.js';
import { lookAtNamedFolder } from './look-at-folder.js';
import type { SourcedEntry } from './offers.js';
import { unreadable } from './read-safely.js';

/**
 * Which units a person means by paths: folders, unit files, lists of instances and bundles, all of them together as if
 * they lay in one folder.
 *
 * Sources are paths as they were given, of what lies in a folder with the entry's name behind. A path that is none of
 * these is a problem.
 */
export async function readUnitPaths(paths: readonly string[], options: CompileOptions = {}): Promise<FolderContent> {
  const entries = new Map<string, SourcedEntry>();
  const problems: FolderProblem[] = [];
  for (const path of paths) {
    const read = await readPath(path);
    if (!Array.isArray(read)) problems.push({ source: path, message: read });
    else for (const each of read) entries.set(resolve(each.source), each);
  }
  return compileEntries([...entries.values()], options, problems);
}

/** What a path means, or why it means nothing. */
async function readPath(path: string): Promise<SourcedEntry[] | string> {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const kind = entryKind(name);
  try {
    if ((await stat(path)).isDirectory()) return await readFolder(path);
    if (kind === undefined) return misnameProblem(name);
  } catch (error) {
    // A link that leads nowhere may be an instance of a template that is given too.
    const mayBeLink = errorCode(error) === 'ENOENT' || errorCode(error) === 'ELOOP';
    if (!mayBeLink) return unreadable(error).message;
  }
  const entry = kind && (await lookAtEntry({ path, name }, undefined, { isTrusted: true }));
  return entry === undefined ? 'there is no such file or directory' : [{ entry, source: path }];
}

async function readFolder(path: string): Promise<SourcedEntry[] | string> {
  const look = await lookAtNamedFolder(path);
  if (look.kind === 'missing') return look.message;
  return look.entries.map((entry) => ({ entry, source: `${path.replace(/\/+$/, '')}/${entry.name}` }));
}
