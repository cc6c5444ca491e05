import assert from 'node:assert/strict';
import { prefixRange, type Store, StoreError } from '@flotilla/registry';
import { put, Recorder, read } from '@flotilla/registry/contract';
import { systemClock } from '@flotilla/runtime';
import { time } from './test-stores.js';

/** A watch on a member that fell silent takes 13 s to be noticed, and some deadlines more to go on elsewhere. */
const patienceMs = 45_000;

/** What one client of a cluster does for its living: it writes each key once, reads, and watches. */
export class Workload {
  readonly #stores: readonly Store[];
  readonly #seen: readonly Recorder[];
  readonly #running: Promise<unknown>;
  #isOver = false;
  /** Values by key, of what is known to be written. */
  readonly written = new Map<string, string>();
  reads = 0;
  /** Writes whose answer was lost, and that were found done. */
  readBack = 0;
  /** How long a write or a read, with all its attempts, took at most. */
  longestWriteMs = 0;
  longestReadMs = 0;

  /** @param stores Write and read in turn, and have a watch each. */
  constructor(stores: readonly Store[], fromRevision: number) {
    this.#stores = stores;
    this.#seen = stores.map((store) => new Recorder(store, { ranges: [prefixRange('a/')], fromRevision }));
    this.#running = Promise.all(stores.flatMap((store, who) => [this.#write(store, who), this.#read(store)]));
    // Told by `finish`; until then it must not end the process.
    this.#running.catch(() => {});
  }

  /** Does no more; for when a test has failed. */
  stop(): void {
    this.#isOver = true;
  }

  /** Waits until so many more keys are written, and all watches have been told of them. */
  async progress(keys: number): Promise<void> {
    const wanted = this.written.size + keys;
    await soon(`${wanted} keys are written`, () => this.written.size >= wanted);
    const last = (await this.#anyStore().range({ from: 'b' })).revision;
    const told = (seen: Recorder) => (seen.revisions.at(-1) ?? 0) >= last;
    await soon('all watches are told', () => this.#seen.every(told));
  }

  /** Stops, and sees that every watch was told of each key once, in order. Rejects if a read was refused or worse. */
  async finish(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    const { kvs } = await this.#anyStore().range(prefixRange('a/'));
    const ordered = kvs.toSorted((one, two) => one.modRevision - two.modRevision);
    const lines = ordered.map((kv) => `put ${kv.key}=${new TextDecoder().decode(kv.value)} @${kv.modRevision}`);
    const found = new Set(lines.map((line) => line.slice(0, line.lastIndexOf('@'))));
    for (const [key, value] of this.written) assert.ok(found.has(`put ${key}=${value} `), `${key} is lost`);
    for (const seen of this.#seen) {
      await soon('all is told', () => seen.lines.length >= lines.length);
      assert.deepEqual(seen.lines, lines);
      assert.equal(seen.broken, undefined);
    }
  }

  #anyStore(): Store {
    const [store] = this.#stores;
    assert.ok(store !== undefined);
    return store;
  }

  async #write(store: Store, who: number): Promise<void> {
    for (let index = 0; !this.#isOver; index++) {
      const key = `a/${who}/${index}`;
      for (let attempt = 0; !this.#isOver && !this.written.has(key); attempt++)
        await this.#tryWrite(store, key, attempt);
      await time.elapse(25);
    }
  }

  /** Creates a key; whether it did, it knows from the answer or, failing that, from what it reads. */
  async #tryWrite(store: Store, key: string, attempt: number): Promise<void> {
    const value = `${attempt}`;
    const compares = [{ key, on: 'create-revision', equals: 0 }] as const;
    const startedMs = systemClock.monotonicMs();
    try {
      const { succeeded } = await store.transact({ compares, success: [put(key, value)] });
      if (succeeded) this.written.set(key, value);
      // An earlier attempt of our own came late: nobody else writes this key.
      else await this.#readBack(store, key);
    } catch (error) {
      assert.ok(error instanceof StoreError && ['unavailable', 'uncertain'].includes(error.kind), String(error));
    } finally {
      this.longestWriteMs = Math.max(this.longestWriteMs, systemClock.monotonicMs() - startedMs);
    }
  }

  async #readBack(store: Store, key: string): Promise<void> {
    const [line] = await read(store, { from: key });
    assert.ok(line !== undefined, `${key} is refused and not there`);
    this.written.set(key, line.slice(key.length + 1));
    this.readBack++;
  }

  async #read(store: Store): Promise<void> {
    for (; !this.#isOver; this.reads++) {
      const startedMs = systemClock.monotonicMs();
      await store.range({ from: 'b' });
      this.longestReadMs = Math.max(this.longestReadMs, systemClock.monotonicMs() - startedMs);
      await time.elapse(25);
    }
  }
}

async function soon(what: string, isSo: () => boolean): Promise<void> {
  for (const startMs = systemClock.monotonicMs(); !isSo(); await time.elapse(20))
    assert.ok(systemClock.monotonicMs() - startMs < patienceMs, `not within ${patienceMs} ms: ${what}`);
}
