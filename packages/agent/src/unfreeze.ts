import type { MachineId } from '@flotilla/cluster';
import { FleetError } from '@flotilla/errors';
import {
  type HeldRecord,
  putUnits,
  type RegistryAccess,
  ranges,
  readStoredUnits,
  readStoreIdentity,
  type StoredUnit,
  StoreError,
  setUpStore,
  type UnfreezeWord,
  type UnitChange,
} from '@flotilla/registry';
import type { UnitName } from '@flotilla/unit';
import type { Allegiance } from './allegiance.js';
import type { AssignmentView } from './assignment-view.js';
import type { KnownUnit } from './desired.js';
import type { HeldHere } from './freeze.js';
import type { StartedRecords } from './started-records.js';

export interface UnfreezeOptions {
  readonly access: RegistryAccess;
  readonly machine: MachineId;
  readonly allegiance: Allegiance;
  readonly started: StartedRecords;
  readonly view: AssignmentView;
  readonly held: HeldHere;
  readonly how: UnfreezeWord;
}

/**
 * Makes the store the one that this machine takes orders from. With `adopt` the store first gets the units that it lacks.
 * Nothing is started or stopped here: what the store says from then on decides, and a unit that runs with the content that
 * the store has counts as started by its last order.
 *
 * @throws StoreError, or FleetError `store-changed`: the machine stays frozen, and the same may be done again.
 */
export async function unfreeze({ access, machine, allegiance, started, view, held, how }: UnfreezeOptions) {
  const { store, log } = access;
  const { records } = held;
  log.warn('unfreezing', { how, reason: allegiance.freezeReason, units: records.size });
  const found = await readStoreIdentity(store);
  const { cluster } = found.cluster === undefined ? await setUpStore(store) : found;
  if (how === 'adopt') await writeBack(access, machine, held);
  const stored = await readStoredUnits(store, [...new Set([...records.keys(), ...allegiance.known.keys()])]);
  const identity = await readStoreIdentity(store);
  if (identity.cluster?.uuid !== cluster?.uuid || identity.revision < view.revision)
    throw new FleetError('store-changed', 'the store became another one while the machine was unfrozen');
  // What was ordered of a machine that could do nothing counts as done.
  await store.transact({ success: [{ kind: 'delete', ...ranges.restartsOf(machine) }] });
  await countAsStarted(started, records, stored);
  // What was seen deleted while this store was not the right one is no order.
  view.keepRemoved(new Set());
  await allegiance.pledge(identity, knownUnits({ before: allegiance.known, held: records, stored, how }));
}

/** Each unit is written only if there is none of its name, and with this machine as the one where it runs. */
async function writeBack(
  { store, log }: RegistryAccess,
  machine: MachineId,
  { records, contents }: HeldHere,
): Promise<void> {
  const changes = new Map<UnitName, UnitChange>();
  for (const [name, { hash, isGlobal, desiredState }] of records) {
    const file = contents.get(name);
    if (file === undefined) continue;
    changes.set(name, { content: { file, hash, isGlobal, isVerbatim: true }, desiredState, runsOn: machine });
  }
  const written: UnitName[] = [];
  for (const [unit, result] of await putUnits({ store, log }, changes)) {
    if (result.kind === 'settled') {
      if (result.outcome === 'created') written.push(unit);
      else if (result.outcome !== 'present') log.warn(notWrittenBack, { unit, why: result.outcome });
    } else if (result.error instanceof StoreError) throw result.error;
    else log.warn(notWrittenBack, { unit, error: result.error });
  }
  log.warn('units were written back into the store', {
    units: written.slice(0, mostNamesLogged),
    count: written.length,
  });
}

const notWrittenBack = 'a unit could not be written back into the store; it is left alone';

/** A line of the log stays one that people can read. */
const mostNamesLogged = 20;

/**
 * What was started by an order of another time was started by the store's last order, if it is the same content. Else every
 * order of this store is newer, whatever revisions the other one was at.
 */
async function countAsStarted(
  started: StartedRecords,
  held: ReadonlyMap<UnitName, HeldRecord>,
  stored: ReadonlyMap<UnitName, StoredUnit>,
): Promise<void> {
  for (const [name, before] of [...(await started.read())]) {
    const [unit, here] = [stored.get(name), held.get(name)];
    // The file of what runs may have been edited since it was started.
    const had = here === undefined ? [] : [here.hash, before.hash];
    if (unit?.kind === 'there' && had.includes(unit.record.hash))
      started.write(name, { uid: unit.uid, order: unit.record.order, hash: unit.record.hash });
    else started.write(name, { ...before, uid: 0, order: 0 });
  }
}

interface KnownSources {
  readonly before: ReadonlyMap<UnitName, KnownUnit>;
  readonly held: ReadonlyMap<UnitName, HeldRecord>;
  readonly stored: ReadonlyMap<UnitName, StoredUnit>;
  readonly how: UnfreezeWord;
}

/**
 * What the machine has, with what the store says of it. What could not be written back is left to the host: that the store
 * lacks it is no order then.
 */
function knownUnits({ before, held, stored, how }: KnownSources): Map<UnitName, KnownUnit> {
  const known = new Map<UnitName, KnownUnit>();
  for (const [name, unit] of stored) {
    const [here, old] = [held.get(name), before.get(name)];
    const hash = here?.hash ?? old?.hash;
    if (hash === undefined || (unit.kind === 'absent' && how === 'adopt')) continue;
    // What the store never had is no sign that it went back.
    const [uid, order] = unit.kind === 'there' ? [unit.uid, unit.record.order] : [0, undefined];
    known.set(name, { hash, uid, isLaunched: here?.desiredState === 'launched', order });
  }
  return known;
}
