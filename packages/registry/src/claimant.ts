import type { MachineId } from '@flotilla/cluster';

/** Who claims units for an owner: a host that has a directory of that name, or `fleetctl apply`. */
export type Claimant = MachineId | typeof applyClaimant;

/** What `fleetctl apply` is called in keys. No machine has such an ID. */
export const applyClaimant = '.apply';
