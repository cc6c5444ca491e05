import type { MachineId } from '@flotilla/cluster';
import { FleetError } from '@flotilla/errors';
import type { OwnerName, UnitName } from '@flotilla/unit';
import { readScene, readWitnesses } from './claim-reads.js';
import { type ClaimChange, changeClaims } from './claims.js';
import { listDirectories, readClaims, removeDirectoryHost } from './directory-hosts.js';
import { keys } from './keys.js';
import { getAll } from './page.js';
import type { UnitRecord } from './records.js';
import { findRecord, type RegistryAccess } from './registry-access.js';

/** What becomes, or would become, of the units that a machine claimed for one owner. */
export interface ForgottenDirectory {
  readonly owner: OwnerName;
  /** By name. */
  readonly destroyed: readonly UnitName[];
  /** How many others claim as well, or are not this owner's. */
  readonly kept: number;
}

/** What came of forgetting. `present`: the machine is in the cluster. `none`: it has no directory here. */
export type ForgetOutcome =
  | { readonly kind: 'present' | 'none' }
  /** By owner. */
  | { readonly kind: 'forgotten'; readonly directories: readonly ForgottenDirectory[] };

/**
 * Drops all claims of a machine that does not come back, and destroys the units that nobody else claims. Nothing is done while the
 * machine is in the cluster; if it comes back meanwhile, what is left of its claims stays.
 *
 * @throws StoreError, or what a unit failed with. The same may be done again.
 */
export async function forgetClaims(
  access: RegistryAccess,
  machine: MachineId,
  { isDryRun }: { readonly isDryRun: boolean },
): Promise<ForgetOutcome> {
  if ((await access.store.range({ from: keys.machine(machine), keysOnly: true })).kvs.length > 0)
    return { kind: 'present' };
  const owners = (await listDirectories(access)).flatMap(({ owner, claimant }) =>
    claimant === machine ? [owner] : [],
  );
  if (owners.length === 0) return { kind: 'none' };
  const directories: ForgottenDirectory[] = [];
  for (const owner of owners) {
    const forgotten = await (isDryRun ? foresee : forget)(access, machine, owner);
    if (forgotten === undefined) return { kind: 'present' };
    directories.push(forgotten);
  }
  return { kind: 'forgotten', directories };
}

/** `undefined`: the machine is back. */
async function forget(
  access: RegistryAccess,
  machine: MachineId,
  owner: OwnerName,
): Promise<ForgottenDirectory | undefined> {
  const side = { owner, claimant: machine };
  const changes = new Map<UnitName, ClaimChange>();
  for (const name of (await readClaims(access, side)).keys()) changes.set(name, { kind: 'drop' });
  const destroyed: UnitName[] = [];
  for (const [name, result] of await changeClaims(access, { ...side, onlyIfAbsent: machine }, changes)) {
    if (result.kind === 'failed') {
      if (result.error instanceof FleetError && result.error.code === 'machine-present') return undefined;
      throw result.error;
    }
    if (result.outcome === 'destroyed') destroyed.push(name);
    if (result.outcome === 'rivals')
      throw new FleetError('claims-contended', `${name} is being changed by others: try again`);
  }
  await removeDirectoryHost(access, side);
  return { owner, destroyed: destroyed.sort(), kept: changes.size - destroyed.length };
}

/** What {@link forget} would do, as things stand. */
async function foresee(access: RegistryAccess, machine: MachineId, owner: OwnerName): Promise<ForgottenDirectory> {
  const { store, log } = access;
  const side = { owner, claimant: machine };
  const names = [...(await readClaims(access, side)).keys()];
  const { others } = await readScene(access, side);
  const witnesses = await readWitnesses(access, { owner, others }, names);
  const units = await getAll(store, names.map(keys.unit));
  const destroyed = names.filter(
    (name) => !witnesses.has(name) && findRecord<UnitRecord>(units.get(keys.unit(name)), log)?.owner === owner,
  );
  return { owner, destroyed: destroyed.sort(), kept: names.length - destroyed.length };
}
