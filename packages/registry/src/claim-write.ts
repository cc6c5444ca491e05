import type { UnitName } from '@flotilla/unit';
import type { ClaimDecision, SeenClaim } from './claim-decision.js';
import type { ClaimScene } from './claim-reads.js';
import type { ChangeClaimsOptions } from './claims.js';
import { keys } from './keys.js';
import { encodeRecord, type UnitRecord } from './records.js';
import type { Compare, Revision } from './store.js';
import type { Before } from './unit-before.js';
import { toUnitWrite, type UnitWrite, type WriteOperation } from './unit-write.js';

/** Somebody else's claim on a unit. */
export interface Witness {
  readonly key: string;
  readonly createRevision: Revision;
}

/** What {@link toClaimWrite} is made of. */
export interface ClaimWriteSources {
  readonly decision: Extract<ClaimDecision, { kind: 'hold' | 'drop' }>;
  readonly seen: SeenClaim;
  readonly scene: ClaimScene;
  readonly witness: Witness | undefined;
  readonly options: ChangeClaimsOptions;
}

/**
 * What a decision about a claim writes. Who claims a unit compares its revision and takes the mark of parting away, so that who
 * has marked it and found no claims since notices.
 */
export function toClaimWrite(name: UnitName, sources: ClaimWriteSources): UnitWrite {
  const { decision, seen, options } = sources;
  const key = keys.claim(options.owner, options.claimant, name);
  const compares: Compare[] = [
    { key, on: 'mod-revision', equals: seen.claim?.modRevision ?? 0 },
    ...machineCompares(options),
  ];
  if (decision.kind === 'drop') {
    const operations: WriteOperation[] = [{ kind: 'delete', from: key }];
    if (decision.effect === 'destroyed')
      operations.push({ kind: 'delete', from: keys.unit(name) }, { kind: 'delete', from: keys.global(name) });
    return { compares: [...compares, ...dropCompares(name, sources)], operations };
  }
  const { before } = seen;
  const unitKey = keys.unit(name);
  compares.push(
    { key: unitKey, on: 'mod-revision', equals: before?.modRevision ?? 0 },
    // A request that comes late, when the unit was made and destroyed since, finds the row of a later pass.
    {
      key: keys.directoryHost(options.owner, options.claimant),
      on: 'mod-revision',
      equals: sources.scene.joined,
    },
    ...(decision.isAlone ? [ownerCompare(sources)] : []),
  );
  const operations: WriteOperation[] = [{ kind: 'put', key, value: encodeRecord(decision.claim) }];
  if (decision.unit !== undefined)
    operations.push(...toUnitWrite(name, { before, decision: decision.unit }).operations);
  else if (before?.record.isParting === true && before.record.owner === options.owner) {
    const { isParting: _, ...record } = before.record;
    operations.push({ kind: 'put', key: unitKey, value: encodeRecord<UnitRecord>(record) });
  }
  return { compares, operations };
}

/** Marks a unit whose last claim is about to go: who claims it from now on changes it. */
export function toPartingWrite(name: UnitName, { record, modRevision }: Before): UnitWrite {
  const key = keys.unit(name);
  const marked: UnitRecord = { ...record, isParting: true };
  return {
    compares: [{ key, on: 'mod-revision', equals: modRevision }],
    operations: [{ kind: 'put', key, value: encodeRecord(marked) }],
  };
}

function dropCompares(name: UnitName, sources: ClaimWriteSources): readonly Compare[] {
  const { decision, seen, witness } = sources;
  if (decision.kind === 'drop' && decision.hasOthers && witness !== undefined)
    return [{ key: witness.key, on: 'create-revision', equals: witness.createRevision }];
  const unit: Compare = { key: keys.unit(name), on: 'mod-revision', equals: seen.before?.modRevision ?? 0 };
  return decision.effect === 'destroyed' ? [unit, ownerCompare(sources)] : [unit];
}

/** Nobody has joined whose claims were not looked up. */
function ownerCompare({ scene, options }: ClaimWriteSources): Compare {
  return { key: keys.directoryOwner(options.owner), on: 'mod-revision', equals: scene.ownerRevision };
}

function machineCompares({ onlyIfAbsent }: ChangeClaimsOptions): readonly Compare[] {
  return onlyIfAbsent === undefined ? [] : [{ key: keys.machine(onlyIfAbsent), on: 'create-revision', equals: 0 }];
}
