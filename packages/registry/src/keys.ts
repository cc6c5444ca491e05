import type { MachineId } from '@flotilla/cluster';
import type { OwnerName, UnitName } from '@flotilla/unit';
import type { Claimant } from './claimant.js';
import { type KeyRange, prefixRange } from './store.js';

/**
 * The key layout; no other file spells a key. Keys are relative to the cluster's prefix. The table with values and
 * writers is in `packages/README.md`.
 */
export const keys = {
  /** Identity of the cluster. */
  cluster: 'cluster',
  /** The acting engine. */
  leader: 'leader',
  /** Up to where the leader will compact the history next. */
  compaction: 'compaction',
  unitFile: (sha256: string) => `unit-files/${sha256}`,
  unit: (name: UnitName) => `units/${name}`,
  global: (name: UnitName) => `globals/${name}`,
  placement: (name: UnitName) => `placements/${name}`,
  schedule: (machine: MachineId, name: UnitName) => `schedule/${machine}/${name}`,
  reason: (name: UnitName) => `reasons/${name}`,
  state: (name: UnitName, machine: MachineId) => `states/${name}/${machine}`,
  machine: (id: MachineId) => `machines/${id}`,
  member: (id: MachineId) => `members/${id}`,
  loss: (id: MachineId) => `losses/${id}`,
  release: (id: MachineId) => `releases/${id}`,
  held: (machine: MachineId, name: UnitName) => `held/${machine}/${name}`,
  unfreeze: (machine: MachineId) => `unfreeze/${machine}`,
  /** A global unit is to be started once more on this machine alone. */
  restart: (machine: MachineId, name: UnitName) => `restarts/${machine}/${name}`,
  /** Whose turn it is to be replaced, of the instances of a template or the copies of a global unit. */
  update: (group: UnitName) => `updates/${group}`,
  /** What the cluster was told to do otherwise. */
  setting: (key: string) => `settings/${key}`,
  /** The same of one machine. */
  machineSettings: (machine: MachineId) => `settings/machines/${machine}`,
  /** What was set of a machine's metadata, over its own. */
  metadata: (machine: MachineId, key: string) => `metadata/${machine}/${key}`,
  /** What a claimant last saw of a unit that it wants to be there. */
  claim: (owner: OwnerName, claimant: Claimant, name: UnitName) => `dirs/${owner}/${claimant}/${name}`,
  directoryHost: (owner: OwnerName, claimant: Claimant) => `dir-hosts/${owner}/${claimant}`,
  /** Put anew whenever there may be one more who claims, or a unit more to be claimed. */
  directoryOwner: (owner: OwnerName) => `dir-owners/${owner}`,
  /** A person's word on what a host holds back. */
  directoryOrder: (owner: OwnerName, machine: MachineId) => `dir-orders/${owner}/${machine}`,
} as const;

/** The ranges that are listed and watched. */
export const ranges = {
  unitFiles: prefixRange('unit-files/'),
  units: prefixRange('units/'),
  globals: prefixRange('globals/'),
  placements: prefixRange('placements/'),
  schedule: prefixRange('schedule/'),
  reasons: prefixRange('reasons/'),
  states: prefixRange('states/'),
  machines: prefixRange('machines/'),
  members: prefixRange('members/'),
  losses: prefixRange('losses/'),
  releases: prefixRange('releases/'),
  updates: prefixRange('updates/'),
  /** Of the cluster, and of machines. */
  settings: prefixRange('settings/'),
  metadata: prefixRange('metadata/'),
  /** What was set of one machine's metadata. */
  metadataOf: (machine: MachineId) => prefixRange(`metadata/${machine}/`),
  /** What is scheduled to one machine. */
  scheduleOf: (machine: MachineId) => prefixRange(`schedule/${machine}/`),
  /** A unit's states on all machines. */
  statesOf: (name: UnitName) => prefixRange(`states/${name}/`),
  /** What a frozen machine holds. */
  heldOf: (machine: MachineId) => prefixRange(`held/${machine}/`),
  /** Which global units one machine is to start once more. */
  restartsOf: (machine: MachineId) => prefixRange(`restarts/${machine}/`),
  /** What one claimant claims. */
  claimsOf: (owner: OwnerName, claimant: Claimant) => prefixRange(`dirs/${owner}/${claimant}/`),
  /** What all who claim for one owner do. */
  claimsOfAll: (owner: OwnerName) => prefixRange(`dirs/${owner}/`),
  directoryHosts: prefixRange('dir-hosts/'),
  directoryHostsOf: (owner: OwnerName) => prefixRange(`dir-hosts/${owner}/`),
  directoryOwners: prefixRange('dir-owners/'),
  directoryOrders: prefixRange('dir-orders/'),
  directoryOrdersOf: (owner: OwnerName) => prefixRange(`dir-orders/${owner}/`),
} as const;

/** A key taken apart. Names and IDs are as stored: written by Flotilla, so not checked again. */
export type ParsedKey =
  | { readonly kind: 'cluster' | 'leader' | 'compaction' }
  | { readonly kind: 'unit-file'; readonly sha256: string }
  | { readonly kind: 'unit' | 'global' | 'placement' | 'reason' | 'update'; readonly name: UnitName }
  | { readonly kind: 'schedule' | 'state'; readonly name: UnitName; readonly machine: MachineId }
  | { readonly kind: 'held' | 'restart'; readonly name: UnitName; readonly machine: MachineId }
  | {
      readonly kind: 'machine' | 'member' | 'loss' | 'release' | 'unfreeze';
      readonly machine: MachineId;
    }
  | { readonly kind: 'machine-settings'; readonly machine: MachineId }
  | { readonly kind: 'setting'; readonly key: string }
  | { readonly kind: 'metadata'; readonly machine: MachineId; readonly key: string }
  | { readonly kind: 'claim'; readonly owner: OwnerName; readonly claimant: Claimant; readonly name: UnitName }
  | { readonly kind: 'directory-host'; readonly owner: OwnerName; readonly claimant: Claimant }
  | { readonly kind: 'directory-owner'; readonly owner: OwnerName }
  | { readonly kind: 'directory-order'; readonly owner: OwnerName; readonly machine: MachineId };

/** Takes a key apart; `undefined` for one that this version does not know. */
export function parseKey(key: string): ParsedKey | undefined {
  const [table, first, second, third, ...rest] = key.split('/');
  if (rest.length > 0) return undefined;
  if (third !== undefined) return table === 'dirs' ? parseClaimKey(first, second, third) : undefined;
  if (first === undefined)
    return table === 'cluster' || table === 'leader' || table === 'compaction' ? { kind: table } : undefined;
  return second === undefined ? parseKeyOfOne(table, first) : parseKeyOfTwo(table, first, second);
}

function parseClaimKey(owner: string | undefined, claimant: string | undefined, name: string): ParsedKey {
  return { kind: 'claim', owner: owner as OwnerName, claimant: claimant as Claimant, name: name as UnitName };
}

function parseKeyOfTwo(table: string | undefined, first: string, second: string): ParsedKey | undefined {
  const machine = first as MachineId;
  if (table === 'schedule' || table === 'held') return { kind: table, machine, name: second as UnitName };
  if (table === 'restarts') return { kind: 'restart', machine, name: second as UnitName };
  if (table === 'states') return { kind: 'state', name: first as UnitName, machine: second as MachineId };
  if (table === 'metadata') return { kind: 'metadata', machine, key: second };
  const owner = first as OwnerName;
  if (table === 'dir-hosts') return { kind: 'directory-host', owner, claimant: second as Claimant };
  if (table === 'dir-orders') return { kind: 'directory-order', owner, machine: second as MachineId };
  if (table === 'settings' && first === 'machines') return { kind: 'machine-settings', machine: second as MachineId };
  return undefined;
}

function parseKeyOfOne(table: string | undefined, first: string): ParsedKey | undefined {
  const name = first as UnitName;
  const machine = first as MachineId;
  switch (table) {
    case 'unit-files':
      return { kind: 'unit-file', sha256: first };
    case 'units':
      return { kind: 'unit', name };
    case 'globals':
      return { kind: 'global', name };
    case 'placements':
      return { kind: 'placement', name };
    case 'reasons':
      return { kind: 'reason', name };
    case 'updates':
      return { kind: 'update', name };
    case 'machines':
      return { kind: 'machine', machine };
    case 'members':
      return { kind: 'member', machine };
    case 'losses':
      return { kind: 'loss', machine };
    case 'releases':
      return { kind: 'release', machine };
    case 'unfreeze':
      return { kind: 'unfreeze', machine };
    case 'settings':
      return { kind: 'setting', key: first };
    case 'dir-owners':
      return { kind: 'directory-owner', owner: first as OwnerName };
    default:
      return undefined;
  }
}

/** The range of the state rows, on all machines, of `first`, `last` and most names between them. */
export function statesRange(first: UnitName, last: UnitName): Required<KeyRange> {
  return { from: `states/${first}/`, to: prefixRange(`states/${last}/`).to };
}

/** The range of `kind`'s keys for all names in [`first`, `last`], both included; for paged reads of two tables. */
export function namesRange(kind: 'placement' | 'reason', first: UnitName, last: UnitName): Required<KeyRange> {
  return { from: keys[kind](first), to: `${keys[kind](last)}\0` };
}
