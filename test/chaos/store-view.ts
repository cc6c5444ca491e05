import type { Lab } from '../lab/index.js';
import type { Move } from './explain.js';

export const storePrefix = '/_coreos.com/fleet/';

/** What etcd holds: values by key, without the prefix. */
export interface StoreView {
  readonly revision: number;
  readonly values: ReadonlyMap<string, string>;
}

interface KeyValue {
  readonly key: string;
  readonly value?: string;
  readonly mod_revision: number;
}

const decode = (text: string) => Buffer.from(text, 'base64').toString();

/** Reads all of it at one revision, by etcdctl. */
export async function readStore(lab: Lab): Promise<StoreView> {
  const get = ['get', '--prefix', storePrefix, '--write-out=json'];
  const answer = JSON.parse(await lab.etcdctl(get, { timeoutMs: 15_000 })) as {
    header: { revision: number };
    kvs?: readonly KeyValue[];
  };
  const entries = (answer.kvs ?? []).map(({ key, value = '' }) => [keyOf(key), decode(value)] as const);
  return { revision: answer.header.revision, values: new Map(entries) };
}

function keyOf(text: string): string {
  return decode(text).slice(storePrefix.length);
}

/** Entries of one table: values by what follows `<table>/` in their keys. */
export function tableOf(store: StoreView, table: string): Map<string, string> {
  const entries = [...store.values].filter(([key]) => key.startsWith(`${table}/`));
  return new Map(entries.map(([key, value]) => [key.slice(table.length + 1), value]));
}

/** A key was written, or deleted (`undefined`). */
export interface Change {
  readonly key: string;
  readonly value: string | undefined;
}

/** For a watch to tell what is there already. */
const watchSeconds = '2';

/** What happened to the keys of a table after a revision, in that order. */
export async function readHistory(lab: Lab, table: string, afterRevision: number): Promise<Change[]> {
  const range = ['--prefix', `${storePrefix}${table}/`, `--rev=${afterRevision + 1}`, '--write-out=json'];
  const argv = ['timeout', watchSeconds, 'etcdctl', '--endpoints', lab.etcdUrls, 'watch', ...range];
  const { stdout } = await lab.exec(argv);
  const answers = stdout.split('\n').filter((line) => line.trim() !== '');
  return answers.flatMap((line) => {
    const { Events = [] } = JSON.parse(line) as { Events?: readonly { type?: number; kv: KeyValue }[] };
    return Events.map(({ type, kv }) => {
      return { key: keyOf(kv.key).slice(table.length + 1), value: type === 1 ? undefined : decode(kv.value ?? '') };
    });
  });
}

/** From where to where units went, by changes of their placements, which were so before. */
export function movesOf(before: ReadonlyMap<string, string>, changes: readonly Change[], hostOf: HostOf): Move[] {
  const at = new Map(before);
  const moves: Move[] = [];
  for (const { key: unit, value } of changes) {
    const from = at.get(unit);
    const to = value === undefined ? undefined : machineOf(value);
    if (to === undefined) at.delete(unit);
    else at.set(unit, to);
    if (from !== undefined && from !== to)
      moves.push({ unit, from: hostOf(from), to: to === undefined ? undefined : hostOf(to) });
  }
  return moves;
}

/** A machine's host, by name. */
export type HostOf = (machine: string) => string;

/** Of a placement's value. */
export function machineOf(value: string): string {
  return (JSON.parse(value) as { machine: string }).machine;
}

/** Machines by unit. */
export function placementsOf(store: StoreView): Map<string, string> {
  return new Map([...tableOf(store, 'placements')].map(([unit, value]) => [unit, machineOf(value)]));
}
