import { type MachineId, parseMachineId } from '@flotilla/cluster';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { type OwnerName, parseOwnerName, parseUnitName, type UnitName } from '@flotilla/unit';
import { type ClaimChange, type ClaimOutcome, type ClaimSide, changeClaims } from './claims.js';
import { contentOf, emptyRow } from './claims-cluster.js';
import { joinDirectory } from './directory-hosts.js';
import { RacingStore } from './racing-store.js';
import { decodeRecord } from './records.js';
import { type Store, StoreError, type Transaction } from './store.js';
import type { UnitResult } from './unit-edit.js';

export const local = parseOwnerName('local');
export const site = parseOwnerName('site');
export const web = parseUnitName('web.service');
export const machines = Array.from({ length: 300 }, (_, at) => parseMachineId(String(at).padStart(32, '0')));
export const [a, b, c] = machines as [MachineId, MachineId, MachineId];

export function names(count: number): UnitName[] {
  return Array.from({ length: count }, (_, at) => parseUnitName(`unit${at}.service`));
}

export function hold(file: string): ClaimChange {
  return { kind: 'hold', content: contentOf(file), desiredState: 'launched', source: 'web.service' };
}

export const drop: ClaimChange = { kind: 'drop' };

/** For tests of claims: a store whose calls are counted, and in which rivals may come first. */
export function setUp() {
  const store = new RacingStore({ clock: new TestClock() });
  const counted = { reads: 0, writes: 0 };
  const wrapped = {
    range: (request: Parameters<Store['range']>[0]) => {
      counted.reads++;
      return store.range(request);
    },
    transact: (transaction: Transaction) => {
      counted[transaction.compares === undefined ? 'reads' : 'writes']++;
      return store.transact(transaction);
    },
  };
  const proxy = new Proxy<Store>(store, { get: (of, key) => Reflect.get(key in wrapped ? wrapped : of, key) });
  const access = { store: proxy, log: silentLogger };
  const find = async <T extends object>(key: string): Promise<T | undefined> => {
    const [kv] = (await store.range({ from: key })).kvs;
    return kv && decodeRecord<T>(key, kv.value);
  };
  const join = (claimant: ClaimSide['claimant'], owner = local) =>
    joinDirectory({ store, log: silentLogger }, { owner, claimant }, emptyRow);
  const change = (
    claimant: ClaimSide['claimant'],
    all: Iterable<UnitName>,
    to: ClaimChange,
    owner: OwnerName = local,
  ) => changeClaims(access, { owner, claimant }, new Map([...all].map((name) => [name, to])));
  const one = async (claimant: ClaimSide['claimant'], to: ClaimChange) =>
    outcome((await change(claimant, [web], to)).get(web));
  const rival = { store: store.client(), log: silentLogger };
  return { store, access, rival, counted, find, join, change, one };
}

export function outcome(result: UnitResult<ClaimOutcome> | undefined): string {
  if (result === undefined) return 'none';
  if (result.kind === 'failed') return result.error instanceof StoreError ? result.error.kind : String(result.error);
  return typeof result.outcome === 'string' ? result.outcome : `owned by ${result.outcome.owner}`;
}

export function outcomes(results: ReadonlyMap<UnitName, UnitResult<ClaimOutcome>>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const result of results.values()) counts[outcome(result)] = (counts[outcome(result)] ?? 0) + 1;
  return counts;
}
