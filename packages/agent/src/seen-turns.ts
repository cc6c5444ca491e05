import type { MachineId } from '@flotilla/cluster';
import { FleetError } from '@flotilla/errors';
import {
  decodeRecord,
  type KeyValue,
  keys,
  type LeaseId,
  parseKey,
  type Revision,
  type UpdateRecord,
  type WatchEvent,
} from '@flotilla/registry';
import type { Logger } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';

/** Who has the turn of a group, by its key. */
export interface Turn extends UpdateRecord {
  readonly lease: LeaseId | undefined;
}

/** A key as it was seen last, at a revision; without a `turn` it was not there. */
export interface SeenTurn {
  readonly revision: Revision;
  readonly turn: Turn | undefined;
}

/** What is known of the keys `updates/<group>`, by group; what comes late changes nothing. */
export class SeenTurns {
  readonly #log: Logger;
  readonly #onChange: (group: UnitName, now: Turn | undefined, before: Turn | undefined) => void;
  readonly #seen = new Map<UnitName, SeenTurn>();
  /** All that was so at this revision is known. */
  #floor: Revision = 0;

  constructor(log: Logger, onChange: (group: UnitName, now: Turn | undefined, before: Turn | undefined) => void) {
    this.#log = log;
    this.#onChange = onChange;
  }

  get groups(): readonly UnitName[] {
    return [...this.#seen.keys()];
  }

  find(group: UnitName): Turn | undefined {
    return this.#seen.get(group)?.turn;
  }

  /** The mod revision of a group's key; 0 if it is not there. */
  revisionOf(group: UnitName): Revision {
    const seen = this.#seen.get(group);
    return seen?.turn === undefined ? 0 : seen.revision;
  }

  /** Whatever was known: these are all keys that there are, also of a store that went back. */
  reset(kvs: readonly KeyValue[], revision: Revision): void {
    this.#seen.clear();
    this.#floor = 0;
    for (const kv of kvs) this.#noteKey(kv.key, kv, kv.modRevision);
    this.#floor = revision;
  }

  /** These were all keys that there were at `revision`. */
  replace(kvs: readonly KeyValue[], revision: Revision): void {
    const found = new Set(kvs.map(({ key }) => key));
    for (const group of this.groups) if (!found.has(keys.update(group))) this.note(group, undefined, revision);
    for (const kv of kvs) this.#noteKey(kv.key, kv, kv.modRevision);
  }

  apply(events: readonly WatchEvent[]): void {
    for (const event of events) {
      if (event.kind === 'put') this.#noteKey(event.kv.key, event.kv, event.kv.modRevision);
      else this.#noteKey(event.key, undefined, event.modRevision);
    }
  }

  /** A group's key was so at a revision. */
  note(group: UnitName, kv: KeyValue | undefined, revision: Revision): void {
    const before = this.#seen.get(group);
    const at = kv?.modRevision ?? revision;
    if (at <= (before?.revision ?? this.#floor)) return;
    const turn = kv && this.#read(kv);
    this.#seen.set(group, { revision: at, turn });
    this.#onChange(group, turn, before?.turn);
  }

  /** Forgets what nobody tells of any more: all turns but those of `machine`. */
  keepOf(machine: MachineId): void {
    for (const [group, { turn }] of this.#seen) if (turn?.machine !== machine) this.#seen.delete(group);
  }

  #noteKey(key: string, kv: KeyValue | undefined, revision: Revision): void {
    const parsed = parseKey(key);
    if (parsed?.kind === 'update') this.note(parsed.name, kv, revision);
  }

  /** A turn that can't be read is somebody's all the same. */
  #read(kv: KeyValue): Turn {
    try {
      return { ...decodeRecord<UpdateRecord>(kv.key, kv.value), lease: kv.lease };
    } catch (error) {
      if (!(error instanceof FleetError)) throw error;
      this.#log.warn('whose turn it is to be replaced can not be read; it is waited for', { key: kv.key, error });
      return { machine: '' as MachineId, name: '' as UnitName, lease: kv.lease };
    }
  }
}
