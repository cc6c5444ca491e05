import type { MachineId } from '@flotilla/cluster';
import {
  applyClaimant,
  type Claimant,
  decodeMachine,
  findRecord,
  type KnownDirectoryHost,
  listDirectories,
  type OwnedUnit,
  parseKey,
  type RegistryAccess,
  ranges,
  readOwnedUnits,
  readRanges,
} from '@flotilla/registry';
import type {
  DirectoriesAnswer,
  DirectoryDetailEntity,
  DirectoryEntity,
  DirectoryHostEntity,
  DirectoryUnitEntity,
} from '@flotilla/schema';
import { isOwnerName } from '@flotilla/unit';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { failure, json } from './responses.js';

/** `GET dirs`: what hosts watch, and what was applied, under each name. */
export async function getDirectories({ deps }: RoutedRequest): Promise<ApiResponse> {
  const [hosts, addresses] = await Promise.all([listDirectories(deps), readAddresses(deps)]);
  const answer: DirectoriesAnswer = { directories: toEntities(hosts, addresses) };
  return json(answer);
}

/** `GET dirs/<name>`: one of them, with its units. */
export async function getDirectory({ deps, name }: RoutedRequest): Promise<ApiResponse> {
  if (!isOwnerName(name)) return noDirectory();
  const [hosts, addresses] = await Promise.all([listDirectories(deps, name), readAddresses(deps)]);
  const [directory] = toEntities(hosts, addresses);
  if (directory === undefined) return noDirectory();
  const answer: DirectoryDetailEntity = {
    ...directory,
    unitList: (await readOwnedUnits(deps, name)).map(toUnitEntity),
  };
  return json(answer);
}

export function noDirectory(): ApiResponse {
  return failure(404, 'directory does not exist');
}

/** As the API calls a claimant. */
export function claimantName(claimant: Claimant): string {
  return claimant === applyClaimant ? 'apply' : claimant;
}

/** By ID, of the machines that are in the cluster; empty if unknown. */
async function readAddresses({ store, log }: RegistryAccess): Promise<ReadonlyMap<MachineId, string>> {
  const kvs = await readRanges(store, [ranges.machines], Number.POSITIVE_INFINITY);
  const machines = (kvs ?? []).flatMap((kv): readonly (readonly [MachineId, string])[] => {
    const parsed = parseKey(kv.key);
    return parsed?.kind === 'machine' ? [[parsed.machine, findRecord(kv, log, decodeMachine)?.address ?? '']] : [];
  });
  return new Map(machines);
}

function toEntities(
  known: readonly KnownDirectoryHost[],
  addresses: ReadonlyMap<MachineId, string>,
): readonly DirectoryEntity[] {
  const hostsByName = new Map<string, DirectoryHostEntity[]>();
  for (const host of known) {
    const hosts = hostsByName.get(host.owner) ?? [];
    hosts.push(toHostEntity(host, addresses));
    hostsByName.set(host.owner, hosts);
  }
  return [...hostsByName].map(([name, hosts]) => ({ hosts, name }));
}

// Keys in alphabetical order, as they are in all answers.
function toHostEntity(
  { claimant, record }: KnownDirectoryHost,
  addresses: ReadonlyMap<MachineId, string>,
): DirectoryHostEntity {
  const { conflicts, held, lastChange, problems } = record;
  const address = claimant === applyClaimant ? '' : addresses.get(claimant);
  return {
    ...(address === undefined || address === '' ? {} : { address }),
    claimant: claimantName(claimant),
    conflictCount: record.conflictCount,
    conflicts: conflicts.map(({ owner, unit }) => ({ ...(owner === undefined ? {} : { owner }), unit })),
    ...(held === undefined
      ? {}
      : { held: { count: held.count, digest: held.digest, since: held.since, units: held.units, why: held.why } }),
    ...(address === undefined ? { isLost: true } : {}),
    isThere: record.isThere,
    ...(lastChange === undefined
      ? {}
      : {
          lastChange: {
            at: lastChange.at,
            changed: lastChange.changed,
            created: lastChange.created,
            removed: lastChange.removed,
            units: lastChange.units,
          },
        }),
    path: record.path,
    problemCount: record.problemCount,
    problems: problems.map(({ line, message, source }) => ({
      ...(line === undefined ? {} : { line }),
      message,
      source,
    })),
    units: record.units,
  };
}

function toUnitEntity({ name, file, claimants }: OwnedUnit): DirectoryUnitEntity {
  return {
    claimants: claimants.map(({ claimant, source, file: seen }) => ({
      claimant: claimantName(claimant),
      ...(file === undefined || seen === file ? {} : { isBehind: true }),
      source,
    })),
    name,
  };
}
