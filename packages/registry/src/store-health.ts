/** What one look at the store found. */
export interface StoreHealth {
  /** One for each address that the store was given, in that order. */
  readonly members: readonly MemberHealth[];
  /**
   * How much longer a write takes than an answer, in milliseconds: what the disks cost. The quickest of a few tries;
   * `undefined` if it was not measured.
   */
  readonly commitMs: number | undefined;
}

/** How one member of the store is doing. */
export type MemberHealth = AnsweringMember | SilentMember;

export interface AnsweringMember {
  readonly kind: 'answering';
  readonly address: string;
  /** The member's own ID: two addresses may be the same member's. */
  readonly id: string;
  readonly version: string;
  /** Whether it knows of a leader; without one, nothing can be written or read. */
  readonly hasLeader: boolean;
  /** Of the database file. This is what counts for the quota. */
  readonly sizeBytes: number;
  /** What of the file holds something; the rest can be given back by defragmenting. */
  readonly inUseBytes: number;
  /** `undefined` if it can't be found out. */
  readonly quotaBytes: number | undefined;
  /** What it has heard of, of all members. */
  readonly raised: readonly RaisedAlarm[];
}

export interface SilentMember {
  readonly kind: 'silent';
  readonly address: string;
  readonly why: string;
}

/** An alarm of the store's own, which lasts until an operator disarms it. */
export interface RaisedAlarm {
  readonly kind: StoreRefusal;
  /** ID of the member that it is about. */
  readonly member: string;
}

/** Why a store refuses writes although they are in order: its quota is used up, or its members hold different data. */
export type StoreRefusal = 'no-space' | 'corrupt';

/** Something about the store that an operator should see to. */
export interface StoreAlarm {
  readonly code: StoreAlarmCode;
  /** Address of the member that it is about, its ID if it has none here; absent if it is about all of them. */
  readonly member?: string;
  /** What is wrong, where, and what to do about it. */
  readonly message: string;
}

export type StoreAlarmCode = `store-${StoreRefusal | 'no-leader' | 'quota' | 'slow-disk'}`;

/** From this share of the quota on it is told. Taste: a cluster that grows has time left to act. */
const quotaShare = 0.8;

/** A write that takes longer than this is slow: from here on etcd complains in its own log, too. */
export const slowCommitMs = 100;

/** What to do about an alarm of the store's own. */
const remedies: Readonly<Record<StoreRefusal, string>> = {
  'no-space':
    'etcdctl compact, then etcdctl defrag --cluster (or a larger --quota-backend-bytes) make room; etcdctl alarm disarm ends it',
  corrupt: 'replace the member that is wrong, or restore a snapshot; etcdctl alarm disarm ends it',
};

const nothingIsStored = 'nothing new is stored, units run on';

/** What is said of a write that was refused because of an alarm. */
export function refusalText(refusal: StoreRefusal): string {
  const what = { 'no-space': 'its space quota is used up', corrupt: 'its members hold different data' };
  return `etcd: ${what[refusal]}, ${nothingIsStored}: ${remedies[refusal]}`;
}

/** What an operator should see to, the worst first. */
export function storeAlarms({ members, commitMs }: StoreHealth): StoreAlarm[] {
  const answering = distinct(members.filter((member) => member.kind === 'answering'));
  const raised = (kind: StoreRefusal) =>
    new Set(answering.flatMap((member) => member.raised.flatMap((each) => (each.kind === kind ? each.member : []))));
  const full = raised('no-space');
  return [
    ...[...raised('corrupt')].map((id) => corruptAlarm(id, answering)),
    ...[...full].map((id) => fullAlarm(id, answering)),
    ...answering.filter(({ hasLeader }) => !hasLeader).map(leaderlessAlarm),
    ...answering.filter(({ id }) => !full.has(id)).flatMap(quotaAlarms),
    ...(commitMs !== undefined && commitMs > slowCommitMs ? [slowDiskAlarm(commitMs)] : []),
  ];
}

function distinct(members: readonly AnsweringMember[]): AnsweringMember[] {
  return members.filter(({ id }, index) => members.findIndex((other) => other.id === id) === index);
}

function corruptAlarm(id: string, members: readonly AnsweringMember[]): StoreAlarm {
  const member = members.find((each) => each.id === id)?.address ?? id;
  const message = `etcd member ${member} holds other data than its fellows, ${nothingIsStored}: ${remedies.corrupt}`;
  return { code: 'store-corrupt', member, message };
}

function fullAlarm(id: string, members: readonly AnsweringMember[]): StoreAlarm {
  const found = members.find((each) => each.id === id);
  const member = found?.address ?? id;
  const quota = found?.quotaBytes === undefined ? 'space quota' : `space quota of ${formatBytes(found.quotaBytes)}`;
  const message = `etcd member ${member} has used up its ${quota}, ${nothingIsStored}: ${remedies['no-space']}`;
  return { code: 'store-no-space', member, message };
}

function leaderlessAlarm({ address }: AnsweringMember): StoreAlarm {
  const message = `etcd member ${address} has no leader, so nothing can be read or stored: bring back its fellows, of which more than half are needed`;
  return { code: 'store-no-leader', member: address, message };
}

function quotaAlarms({ address, quotaBytes, sizeBytes, inUseBytes }: AnsweringMember): StoreAlarm[] {
  if (quotaBytes === undefined || quotaBytes <= 0) return [];
  const limitBytes = quotaShare * quotaBytes;
  if (sizeBytes <= limitBytes && inUseBytes <= limitBytes) return [];
  const percent = Math.round((100 * Math.max(sizeBytes, inUseBytes)) / quotaBytes);
  const remedy =
    inUseBytes > limitBytes
      ? 'raise its --quota-backend-bytes'
      : `etcdctl defrag gives back what is not in use (${formatBytes(sizeBytes - inUseBytes)})`;
  const message = `etcd member ${address} has used ${percent} % of its space quota of ${formatBytes(quotaBytes)}: ${remedy}`;
  return [{ code: 'store-quota', member: address, message }];
}

function slowDiskAlarm(commitMs: number): StoreAlarm {
  const message = `etcd takes ${Math.round(commitMs)} ms to write to disk, where 10 ms are good: give its --data-dir a faster disk, or one of its own`;
  return { code: 'store-slow-disk', message };
}

/** In the largest unit that leaves at least 1. */
function formatBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toFixed(1))} ${units[unit]}`;
}
