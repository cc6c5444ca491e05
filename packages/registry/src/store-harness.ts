import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type {
  KeyRange,
  KeyValue,
  Operation,
  Revision,
  Store,
  StoreErrorCode,
  Watch,
  WatchBreak,
  WatchEvent,
  WatchRequest,
} from './store.js';
import { StoreError } from './store.js';

/** What the contract suite needs of a store's implementation. */
export interface StoreHarness {
  /** The store under test, empty at first. */
  readonly store: Store;
  /** Another client of the same store, which no fault touches. */
  readonly other: Store;
  readonly faults?: StoreFaults;
  /** Lets time pass for the store. */
  elapse(ms: number): Promise<void>;
  close(): Promise<void>;
}

/** Makes a test of `run`: gives it a store of its own, and closes that afterwards. */
export type UseStore = (
  run: (harness: StoreHarness, test: TestContext) => Promise<void>,
) => (test: TestContext) => Promise<void>;

/** Ways to harm the store, or the way to it. All of it is mended by {@link StoreFaults.heal}. */
export interface StoreFaults {
  /** Takes `store` off the network: what is open breaks, and nothing new connects. */
  cut(): Promise<void>;
  heal(): Promise<void>;
  /** The next transaction of `store` is carried out and its answer never arrives. */
  loseNextReply(): Promise<void>;
  compact(revision: Revision): Promise<void>;
  /** Keeps a copy of the store as it is. */
  backup(): Promise<void>;
  /** Puts the store back to what it was at the last {@link backup}. */
  restore(): Promise<void>;
  /** The store begins anew, empty, under its old name. */
  wipe(): Promise<void>;
  /** Another store, empty, answers in its place. */
  swap(): Promise<void>;
}

/** How long the suite waits for something to happen, in the store's time, and how often it looks. */
const patienceMs = 20_000;
const lookEveryMs = 20;

/** Passes time until `isSo`; fails with `what` if it does not come to be. */
export async function until(harness: Pick<StoreHarness, 'elapse'>, what: string, isSo: () => boolean): Promise<void> {
  for (let waitedMs = 0; !isSo(); waitedMs += lookEveryMs) {
    assert.ok(waitedMs < patienceMs, `not within ${patienceMs} ms: ${what}`);
    await harness.elapse(lookEveryMs);
  }
}

/** A watch that writes down what it is told. */
export class Recorder {
  /** `put a=1 @5`, `delete a @6`, in the order of the calls. */
  readonly lines: string[] = [];
  /** The `revision` of each call. */
  readonly revisions: Revision[] = [];
  broken: WatchBreak | undefined;
  readonly #watch: Watch;

  constructor(store: Store, request: WatchRequest) {
    this.#watch = store.watch(request, {
      onEvents: (events, revision) => {
        this.lines.push(...events.map(describeEvent));
        this.revisions.push(revision);
      },
      onBroken: (reason) => {
        this.broken = reason;
      },
    });
  }

  close(): void {
    this.#watch.close();
  }
}

/** An operation that puts text. */
export function put(key: string, value = '', lease?: string): Operation {
  const operation = { kind: 'put', key, value: new TextEncoder().encode(value) } as const;
  return lease === undefined ? operation : { ...operation, lease };
}

/** An operation that deletes a key or a range. */
export function remove(from: string, to?: string): Operation {
  return to === undefined ? { kind: 'delete', from } : { kind: 'delete', from, to };
}

/** Carries out operations in one transaction; returns its revision. */
export async function write(store: Store, ...success: readonly Operation[]): Promise<Revision> {
  return (await store.transact({ success })).revision;
}

/** Writes `count` revisions of one put each, `a/00000` and on; returns what a watch is to say of them. */
export async function writeMany(store: Store, count: number, value = ''): Promise<string[]> {
  const lines: string[] = [];
  for (let index = 0; index < count; index += 16) {
    const names = Array.from({ length: Math.min(16, count - index) }, (_, at) => manyKey(index + at));
    const revisions = await Promise.all(names.map((name) => write(store, put(name, value))));
    lines.push(...names.map((name, at) => `put ${name}=${value} @${revisions[at]}`));
  }
  // Transactions that were under way together may have taken effect in any order.
  return lines.sort((one, two) => revisionOf(one) - revisionOf(two));
}

export function manyKey(index: number): string {
  return `a/${String(index).padStart(5, '0')}`;
}

/** What a range holds, as `key=value`. */
export async function read(store: Store, range: KeyRange): Promise<string[]> {
  return (await store.range(range)).kvs.map(describe);
}

export function describe({ key, value }: KeyValue): string {
  return `${key}=${new TextDecoder().decode(value)}`;
}

/** Rejects unless `call` rejects with a `StoreError` of one of these kinds. */
export async function rejects(call: Promise<unknown>, ...kinds: readonly StoreErrorCode[]): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof StoreError, String(error));
    assert.ok(kinds.includes(error.kind), `${error.kind}: ${error.message}`);
    return true;
  });
}

function describeEvent(event: WatchEvent): string {
  return event.kind === 'put'
    ? `put ${describe(event.kv)} @${event.kv.modRevision}`
    : `delete ${event.key} @${event.modRevision}`;
}

function revisionOf(line: string): number {
  return Number(line.slice(line.lastIndexOf('@') + 1));
}
