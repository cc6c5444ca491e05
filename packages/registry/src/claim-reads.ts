import type { UnitName } from '@flotilla/unit';
import { chunks } from './chunks.js';
import type { SeenClaim } from './claim-decision.js';
import type { Witness } from './claim-write.js';
import type { Claimant } from './claimant.js';
import type { ChangeClaimsOptions, ClaimSide } from './claims.js';
import type { ClaimRecord } from './directory-records.js';
import { keys, parseKey, ranges } from './keys.js';
import { readWholeRange } from './page.js';
import { findRecord, type RegistryAccess } from './registry-access.js';
import { type KeyValue, maxTransactionSize, type Operation, type Revision } from './store.js';
import { decodeSeen } from './unit-before.js';

/** What all changes of one claimant depend on. */
export interface ClaimScene {
  /** Revision of the claimant's own row, which it writes before each pass; 0 if it has not joined. */
  readonly joined: Revision;
  /** Who else has joined. */
  readonly others: readonly Claimant[];
  /** Revision of `dir-owners/<owner>`: a new one when somebody joins. */
  readonly ownerRevision: Revision;
  /** A machine is in the cluster that must not be. */
  readonly isMachineThere: boolean;
}

/** Looks up what all changes depend on, in one transaction. */
export async function readScene(
  { store }: RegistryAccess,
  { owner, claimant, onlyIfAbsent }: ChangeClaimsOptions,
): Promise<ClaimScene> {
  const { ranges: answers } = await store.transact({
    success: [
      { kind: 'range', from: keys.directoryOwner(owner), keysOnly: true },
      { kind: 'range', ...ranges.directoryHostsOf(owner), keysOnly: true },
      ...(onlyIfAbsent === undefined ? [] : [{ kind: 'range', from: keys.machine(onlyIfAbsent) } as const]),
    ],
  });
  const [owners, hosts, machines] = answers.map(({ kvs }) => kvs);
  const rows = (hosts ?? []).flatMap(({ key, modRevision }) => {
    const parsed = parseKey(key);
    return parsed?.kind === 'directory-host' ? [{ claimant: parsed.claimant, modRevision }] : [];
  });
  return {
    joined: rows.find((row) => row.claimant === claimant)?.modRevision ?? 0,
    others: rows.flatMap((row) => (row.claimant === claimant ? [] : [row.claimant])),
    ownerRevision: owners?.[0]?.modRevision ?? 0,
    isMachineThere: (machines?.length ?? 0) > 0,
  };
}

/** The unit and the own claim: two reads a unit. */
export const mostClaimReads = maxTransactionSize / 2;

/** How to look up units with the own claims on them, in one transaction. */
export function claimReads(side: ClaimSide, names: readonly UnitName[]): readonly Operation[] {
  return names.flatMap((name) => [
    { kind: 'range', from: keys.unit(name) },
    { kind: 'range', from: keys.claim(side.owner, side.claimant, name) },
  ]);
}

/**
 * What the answers say of one unit and the claim on it. A claim that can't be read is one of unknown content.
 *
 * @throws FleetError `bad-record` if the unit's record can't be read.
 */
export function decodeSeenClaim(
  name: UnitName,
  {
    unit,
    claim,
    readAt,
  }: { readonly unit: readonly KeyValue[]; readonly claim: readonly KeyValue[]; readonly readAt: Revision },
  log: RegistryAccess['log'],
): SeenClaim {
  const [kv] = claim;
  const record = findRecord<ClaimRecord>(kv, log) ?? { file: '', source: '' };
  return {
    before: decodeSeen(name, { kvs: [unit], readAt }, log).before,
    claim: kv && { record, modRevision: kv.modRevision },
  };
}

/** Up to so many units are looked up one by one with each claimant; of more, all claims between the first and the last are. */
const mostSingleReads = 64;

/**
 * Of each of `names` that others claim as well: the last one of those claims. When many hosts drop a unit at once, all but one
 * of them rely on the same claim then, and don't refuse each other.
 */
export async function readWitnesses(
  { store }: Pick<RegistryAccess, 'store'>,
  { owner, others }: { readonly owner: ClaimSide['owner']; readonly others: readonly Claimant[] },
  names: readonly UnitName[],
): Promise<ReadonlyMap<UnitName, Witness>> {
  const witnesses = new Map<UnitName, Witness>();
  const note = ({ key, createRevision }: KeyValue) => {
    const parsed = parseKey(key);
    if (parsed?.kind !== 'claim') return;
    const known = witnesses.get(parsed.name);
    if (known === undefined || known.key < key) witnesses.set(parsed.name, { key, createRevision });
  };
  if (names.length <= mostSingleReads) {
    const all = others.flatMap((claimant) => names.map((name) => keys.claim(owner, claimant, name)));
    await Promise.all(
      chunks(all, maxTransactionSize).map(async (some) => {
        const success = some.map((from): Operation => ({ kind: 'range', from, keysOnly: true }));
        for (const { kvs } of (await store.transact({ success })).ranges) kvs.forEach(note);
      }),
    );
    return witnesses;
  }
  const sorted = [...names].sort();
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (first === undefined || last === undefined) return witnesses;
  for (const claimant of others) {
    const range = { from: keys.claim(owner, claimant, first), to: `${keys.claim(owner, claimant, last)}\0` };
    (await readWholeRange(store, range, { keysOnly: true })).forEach(note);
  }
  return witnesses;
}
