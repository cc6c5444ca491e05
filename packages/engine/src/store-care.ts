import {
  type CompactionRecord,
  decodeRecord,
  encodeRecord,
  type KeyValue,
  keys,
  type Leadership,
  type Revision,
  type Store,
  type StoreAlarm,
  StoreError,
  StoreInspector,
} from '@flotilla/registry';
import { type Clock, type Logger, ReconcileLoop } from '@flotilla/runtime';
import { compactionStep } from './compaction.js';

/** How often the leader looks after the store: the rarest look that law 7 takes for none. */
const intervalMs = 600_000;

/** A new leader has better things to do at first; and what made the store refuse a write is over or told after it. */
const firstLookMs = 5_000;

/** Refused writes come in numbers. */
const spacingMs = 60_000;

export interface StoreCareOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly leadership: Leadership;
}

/** Looks after the store while its engine leads: keeps the history short, and says in the log what an operator should see to. */
export class StoreCare {
  readonly #options: StoreCareOptions;
  readonly #loop: ReconcileLoop;
  readonly #inspector: StoreInspector;
  #told: readonly StoreAlarm[] = [];
  #isRefused = false;

  constructor(options: StoreCareOptions) {
    this.#options = options;
    const { clock, log } = options;
    this.#inspector = new StoreInspector(options);
    const body = () => this.#look();
    this.#loop = new ReconcileLoop({
      name: 'store-care',
      body,
      clock,
      log,
      intervalMs,
      gatherMs: firstLookMs,
      spacingMs,
    });
    this.#loop.wake();
  }

  /** The store has refused a write: it is looked at soon. */
  noteRefusal(): void {
    this.#loop.wake();
  }

  async close(): Promise<void> {
    await this.#loop.close();
  }

  /** A store that is out of reach is looked at again when it is time; others say that it is. */
  async #look(): Promise<void> {
    try {
      this.#tell((await this.#inspector.inspect(0)).alarms);
      await this.#shortenHistory();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#options.log.debug('the store is not looked after this time', { error });
    }
  }

  /** Each alarm is told when it appears and when it is over, not while it lasts. */
  #tell(alarms: readonly StoreAlarm[]): void {
    const { log } = this.#options;
    for (const { code, member, message } of without(alarms, this.#told))
      log.warn('the store needs care', { alarm: code, member, detail: message });
    for (const { code, member } of without(this.#told, alarms))
      log.warn('the store needs that care no more', { alarm: code, member });
    this.#told = alarms;
  }

  async #shortenHistory(): Promise<void> {
    const { clock, leadership, store } = this.#options;
    if (!leadership.isFresh()) return;
    const { kvs, revision } = await store.range({ from: keys.compaction });
    const nowMs = clock.now();
    const step = compactionStep({ mark: findMark(kvs[0]), revision, nowMs });
    if (step.kind === 'wait') return;
    // First this, as a store without room takes it but no mark. Who is no leader any more does no harm: it is an hour old.
    if (step.kind === 'compact') await this.#compact(step.revision);
    await this.#mark({ revision, at: nowMs }, kvs[0]);
  }

  async #compact(revision: Revision): Promise<void> {
    const { log, store } = this.#options;
    try {
      const outcome = await store.compact(revision);
      log.debug('history looked through', { revision, outcome });
    } catch (error) {
      if (!(error instanceof StoreError && error.kind === 'refused')) throw error;
      if (!this.#isRefused) log.warn('the store refuses to compact its history; have it do that itself', { error });
      this.#isRefused = true;
    }
  }

  /** Refused if another engine leads, or has been here meanwhile: then the mark is its business. */
  async #mark(mark: CompactionRecord, present: KeyValue | undefined): Promise<void> {
    const { leadership, store } = this.#options;
    await store.transact({
      compares: [
        { key: keys.leader, on: 'create-revision', equals: leadership.fence },
        { key: keys.compaction, on: 'mod-revision', equals: present?.modRevision ?? 0 },
      ],
      success: [{ kind: 'put', key: keys.compaction, value: encodeRecord(mark) }],
    });
  }
}

function without(alarms: readonly StoreAlarm[], others: readonly StoreAlarm[]): StoreAlarm[] {
  return alarms.filter(({ code, member }) => !others.some((other) => other.code === code && other.member === member));
}

/** A mark that can't be read is as good as none, and is replaced. */
function findMark(kv: KeyValue | undefined): CompactionRecord | undefined {
  if (kv === undefined) return undefined;
  try {
    const { revision, at } = decodeRecord<CompactionRecord>(kv.key, kv.value);
    return Number.isSafeInteger(revision) && Number.isFinite(at) ? { revision, at } : undefined;
  } catch {
    return undefined;
  }
}
