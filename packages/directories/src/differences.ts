import { createHash } from 'node:crypto';
import type { FolderContent, FolderUnit } from '@flotilla/folder';
import type { ClaimRecord } from '@flotilla/registry';
import type { UnitName } from '@flotilla/unit';

/** A unit that the folder has, and what would stand in its claim. */
export interface SeenUnit {
  readonly unit: FolderUnit;
  readonly claim: ClaimRecord;
}

/** Where a folder and what was last seen of it are two things. */
export interface Differences {
  /** Units that are not claimed as the folder has them, in order of names. */
  readonly holds: ReadonlyMap<UnitName, SeenUnit>;
  /** Units that are claimed, and that the folder has no more, in order of names. */
  readonly gone: readonly UnitName[];
  /** Units that are claimed, and may be gone: that is not settled yet. In order of names. */
  readonly unsettled: readonly UnitName[];
  /** Units that are claimed, and that the folder has only in a file that is broken, in order of names. */
  readonly broken: readonly UnitName[];
}

export interface FolderSight {
  readonly content: FolderContent;
  /** Entries of which nothing can be said yet: what was read from them is neither there nor gone. */
  readonly unknown: ReadonlySet<string>;
}

/** Compares a folder with what was last seen of it. What may only be broken or unreadable is no difference. */
export function findDifferences(
  { content, unknown }: FolderSight,
  claims: ReadonlyMap<UnitName, ClaimRecord>,
): Differences {
  const fileKeyOf = createFileKeys();
  const isUnsure = (name: UnitName, { source }: ClaimRecord) =>
    content.units.get(name)?.source !== source && (unknown.has(source) || content.isDoubtful(name, source));
  const holds = new Map<UnitName, SeenUnit>();
  for (const [name, unit] of content.units) {
    const claim = { file: fileKeyOf(unit.bytes), source: unit.source };
    const known = claims.get(name);
    if (known !== undefined && isUnsure(name, known)) continue;
    if (known?.file !== claim.file || known.source !== claim.source) holds.set(name, { unit, claim });
  }
  const missing = [...claims].filter(([name]) => !content.units.has(name));
  const settled = missing.filter(([, { source }]) => !unknown.has(source));
  return {
    holds,
    gone: namesOf(settled.filter(([name, claim]) => !isUnsure(name, claim))),
    unsettled: namesOf(missing.filter(([, { source }]) => unknown.has(source))),
    broken: namesOf(settled.filter(([name, claim]) => isUnsure(name, claim))),
  };
}

function namesOf(claims: readonly (readonly [UnitName, ClaimRecord])[]): readonly UnitName[] {
  return claims.map(([name]) => name).sort();
}

/** Instances of one template share its bytes. */
function createFileKeys(): (bytes: Uint8Array) => string {
  const known = new Map<Uint8Array, string>();
  return (bytes) => {
    const key = known.get(bytes) ?? createHash('sha256').update(bytes).digest('hex');
    known.set(bytes, key);
    return key;
  };
}
