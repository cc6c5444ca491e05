import { type MachineId, parseMachineId } from '@flotilla/cluster';
import { FleetError } from '@flotilla/errors';
import { silentLogger } from '@flotilla/runtime';
import { type OwnerName, parseOwnerName, type UnitHash, type UnitName } from '@flotilla/unit';
import { adoptUnit } from './adopt-unit.js';
import { applyClaimant, type Claimant } from './claimant.js';
import { type ClaimOutcome, type ClaimSide, changeClaims } from './claims.js';
import type { ModelAct, ModelUnit } from './claims-model.js';
import { joinDirectory, removeDirectoryHost } from './directory-hosts.js';
import { type ClaimRecord, newDirectoryHost } from './directory-records.js';
import { parseKey, ranges } from './keys.js';
import { readWholeRange } from './page.js';
import { decodeRecord, type UnitRecord } from './records.js';
import type { KeyValue, Store } from './store.js';
import type { Owned, UnitContent } from './unit-change.js';
import { deleteUnit } from './unit-deleter.js';
import type { UnitResult } from './unit-edit.js';
import { putUnit } from './unit-editor.js';
import { fileKeyOf } from './unit-write.js';

/** For tests: hosts that claim units of two directories, and those who use the API. */
export const owners = ['local', 'site'].map(parseOwnerName);

export const claimants: readonly Claimant[] = [
  ...['a', 'b', 'c'].map((id) => parseMachineId(id.repeat(32))),
  applyClaimant,
];

export const emptyRow = newDirectoryHost('', true);

/** All files that there are in tests. */
export const modelFiles = ['a1', 'a2', 'b1', 'g1'];

/** Of a file of two characters: the second one is a comment. */
export function contentOf(file: string): UnitContent {
  return {
    file: Buffer.from(file),
    hash: (file[0] ?? '').repeat(40) as UnitHash,
    isGlobal: file.startsWith('g'),
    isVerbatim: true,
  };
}

/** Does what the model's act says; what comes of it in the model's words. */
export async function actOnStore(store: Store, name: UnitName, act: ModelAct): Promise<string> {
  const access = { store, log: silentLogger };
  switch (act.kind) {
    case 'hold': {
      const { file, isExplicit } = act;
      const content = contentOf(file);
      const explicitly = isExplicit ? ({ isExplicit } as const) : {};
      const change = { kind: 'hold', content, desiredState: 'launched', source: name, ...explicitly } as const;
      for (;;) {
        await joinDirectory(access, sideOf(act), emptyRow);
        const result = (await changeClaims(access, sideOf(act), new Map([[name, change]]))).get(name);
        if (!isNotJoined(result)) return said(result);
      }
    }
    case 'leave':
      await removeDirectoryHost(access, sideOf(act));
      return 'left';
    case 'drop': {
      const drop = { kind: 'drop', ...(act.isExplicit ? ({ isExplicit: true } as const) : {}) } as const;
      return said((await changeClaims(access, sideOf(act), new Map([[name, drop]]))).get(name));
    }
    case 'adopt': {
      const outcome = await adoptUnit(access, name, act.owner as OwnerName | undefined);
      return outcome.kind === 'adopted' ? `adopted from ${outcome.former}` : outcome.kind;
    }
    case 'put':
      return inWords(await putUnit(access, name, { content: contentOf(act.file), desiredState: act.state }));
    case 'ask':
      return inWords(await putUnit(access, name, { desiredState: act.state }));
    case 'delete':
      return inWords(await deleteUnit(access, name));
  }
}

/** What the store has of all units, in the model's words. Throws if a copy for agents is not what the unit is. */
export async function readModels(store: Store): Promise<Map<UnitName, ModelUnit>> {
  const found = new Map<UnitName, { unit: ModelUnit['unit']; claims: Map<string, string> }>();
  const of = (name: UnitName) => {
    const model = found.get(name) ?? { unit: undefined, claims: new Map() };
    found.set(name, model);
    return model;
  };
  const files = new Map<string, string>();
  for (const kv of await readWholeRange(store, ranges.unitFiles))
    files.set(kv.key.slice('unit-files/'.length), Buffer.from(kv.value).toString());
  const globals = new Map<string, string>();
  for (const kv of await readWholeRange(store, ranges.globals))
    globals.set(kv.key.slice('globals/'.length), wordsOf(decodeRecord<UnitRecord>(kv.key, kv.value)));
  for (const kv of await readWholeRange(store, { from: 'dirs/', to: 'dirs0' })) {
    const parsed = parseKey(kv.key);
    if (parsed?.kind === 'claim') of(parsed.name).claims.set(`${parsed.owner} ${parsed.claimant}`, seenFile(kv));
  }
  for (const kv of await readWholeRange(store, ranges.units)) {
    const parsed = parseKey(kv.key);
    if (parsed?.kind !== 'unit') continue;
    const record = decodeRecord<UnitRecord>(kv.key, kv.value);
    of(parsed.name).unit = { owner: record.owner, file: files.get(record.file) ?? 'lost', state: record.desiredState };
    const copy = globals.get(parsed.name);
    if ((copy !== undefined) !== record.isGlobal || (copy !== undefined && copy !== wordsOf(record)))
      throw new Error(`the copy of ${parsed.name} is ${copy}`);
    globals.delete(parsed.name);
  }
  if (globals.size > 0) throw new Error(`copies of no units: ${[...globals.keys()].join()}`);
  return found;
}

/** A claim names a file by its hash; the file itself is not kept. */
function seenFile({ key, value }: KeyValue): string {
  const { file } = decodeRecord<ClaimRecord>(key, value);
  return modelFiles.find((each) => fileKeyOf(contentOf(each)) === file) ?? `unknown: ${file}`;
}

function wordsOf({ owner, file, desiredState, order }: UnitRecord): string {
  return [owner, file, desiredState, order].join(' ');
}

export function sideOf({ owner, claimant }: { readonly owner: string; readonly claimant: string }): ClaimSide {
  return { owner: owner as OwnerName, claimant: claimant as MachineId };
}

function said(result: UnitResult<ClaimOutcome> | undefined): string {
  if (result?.kind === 'settled') return inWords(result.outcome);
  throw result?.error;
}

function isNotJoined(result: UnitResult<ClaimOutcome> | undefined): boolean {
  return result?.kind === 'failed' && result.error instanceof FleetError && result.error.code === 'not-joined';
}

function inWords(outcome: string | Owned): string {
  return typeof outcome === 'string' ? outcome : `owned by ${outcome.owner}`;
}
