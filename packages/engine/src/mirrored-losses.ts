import type { MachineId } from '@flotilla/cluster';
import {
  decodeLoss,
  decodeRecord,
  type KeyValue,
  type LossRecord,
  type MemberRecord,
  type ParsedKey,
  type ReleaseRecord,
  type Revision,
} from '@flotilla/registry';
import type { JoinedMember } from './loss-policy.js';
import { type Entry, MirrorTable } from './mirror-table.js';

/** A key about a machine's being a member, or gone. */
export type LossKey = ParsedKey & { readonly kind: 'member' | 'loss' | 'release'; readonly machine: MachineId };

export function isLossKey(key: ParsedKey): key is LossKey {
  return key.kind === 'member' || key.kind === 'loss' || key.kind === 'release';
}

export interface MirroredLossesOptions {
  readonly isAlive: (machine: MachineId) => boolean;
  /** Whether a machine that is gone keeps its units for now. */
  readonly onAway: (machine: MachineId, isAway: boolean) => void;
  /** Something has changed that may change which machines are lost. */
  readonly onChanged: () => void;
}

/** Who is a member, and what was noted and said about those that are gone. */
export class MirroredLosses {
  readonly #options: MirroredLossesOptions;
  /** `undefined`: a record that can't be read. */
  readonly #members = new MirrorTable<MachineId, MemberRecord | undefined>();
  readonly #losses = new MirrorTable<MachineId, LossRecord | undefined>();
  readonly #releases = new MirrorTable<MachineId, ReleaseRecord | undefined>();

  constructor(options: MirroredLossesOptions) {
    this.#options = options;
  }

  /** Those that have not left. A member whose record can't be read has joined, for all that is known. */
  get joined(): Map<MachineId, JoinedMember> {
    const joined = new Map<MachineId, JoinedMember>();
    for (const [machine, { record }] of this.#members.entries)
      if (record?.is !== 'left') joined.set(machine, { address: record?.address ?? '' });
    return joined;
  }

  /** Whether a machine has left in order, with its units stopped. */
  hasLeft(machine: MachineId): boolean {
    return this.#members.get(machine)?.record?.is === 'left';
  }

  /** What is noted about machines since they registered last. */
  get recorded(): Map<MachineId, LossRecord> {
    const recorded = new Map<MachineId, LossRecord>();
    for (const machine of this.#losses.entries.keys()) {
      const record = this.#findRecorded(machine);
      if (record !== undefined) recorded.set(machine, record);
    }
    return recorded;
  }

  /** Machines that were released since they registered last. */
  get released(): Set<MachineId> {
    const isOfNow = ([machine, entry]: readonly [MachineId, Entry<unknown>]) => this.#isOfNow(machine, entry);
    return new Set([...this.#releases.entries].filter(isOfNow).map(([machine]) => machine));
  }

  /** All that have a record about their being gone, or an order to release them, in force or not. */
  get mentioned(): Set<MachineId> {
    return new Set([...this.#losses.entries.keys(), ...this.#releases.entries.keys()]);
  }

  /** The revisions of a key as they are known here. */
  findEntry({ kind, machine }: LossKey): Entry<unknown> | undefined {
    return this.#tableOf(kind).get(machine);
  }

  /** @throws FleetError `bad-record`; it is taken in all the same, as well as can be. */
  put({ kind, machine }: LossKey, kv: KeyValue): void {
    if (!this.#tableOf(kind).isNews(machine, kv.modRevision)) return;
    const { key, value, createRevision, modRevision } = kv;
    let problem: unknown;
    const read = <R>(decode: (key: string, value: Uint8Array) => R): Entry<R | undefined> => {
      let record: R | undefined;
      try {
        record = decode(key, value);
      } catch (error) {
        problem = error;
      }
      return { record, createRevision, modRevision };
    };
    if (kind === 'member') this.#members.put(machine, read(decodeRecord<MemberRecord>));
    else if (kind === 'loss') this.#losses.put(machine, read(decodeLoss));
    else this.#releases.put(machine, read(decodeRecord<ReleaseRecord>));
    this.review(machine);
    if (problem !== undefined) throw problem;
  }

  delete({ kind, machine }: LossKey, revision: Revision, by: 'own' | 'watch'): void {
    const table = this.#tableOf(kind);
    if (!(by === 'own' ? table.deleteOwn(machine, revision) : table.delete(machine, revision))) return;
    this.review(machine);
  }

  /** A machine has come or gone: one that is gone is away until it is decided that it is lost. */
  review(machine: MachineId): void {
    const member = this.#members.get(machine);
    const isJoined = member !== undefined && member.record?.is !== 'left';
    const isGone = isJoined && !this.#options.isAlive(machine);
    this.#options.onAway(machine, isGone && this.#findRecorded(machine)?.state !== 'lost');
    this.#options.onChanged();
  }

  #findRecorded(machine: MachineId): LossRecord | undefined {
    const entry = this.#losses.get(machine);
    return entry !== undefined && this.#isOfNow(machine, entry) ? entry.record : undefined;
  }

  /** A machine registers with a member's record: what is older is about an earlier absence. */
  #isOfNow(machine: MachineId, { modRevision }: Entry<unknown>): boolean {
    return modRevision > (this.#members.get(machine)?.modRevision ?? 0);
  }

  #tableOf(kind: LossKey['kind']) {
    return { member: this.#members, loss: this.#losses, release: this.#releases }[kind];
  }
}
