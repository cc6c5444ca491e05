import { createHash } from 'node:crypto';
import { type LaunchState, parseMachineId } from '@flotilla/cluster';
import {
  type Compare,
  encodeRecord,
  keys,
  listLosses,
  type MemberRecord,
  MemoryStore,
  type Operation,
  orderRelease,
  type PlacementRecord,
  type RangeRequest,
  type RangeResult,
  type ReasonRecord,
  type ReleaseOutcome,
  type Revision,
  ranges,
  type ScheduleRecord,
  type StateRecord,
  type Store,
  type Transaction,
  type TransactionResult,
  type UnitRecord,
} from '@flotilla/registry';
import { type LogFields, type Logger, TestClock } from '@flotilla/runtime';
import { hashUnitFile, parseUnitFile, parseUnitName, type UnitName } from '@flotilla/unit';
import { createEngine, type Engine } from './engine.js';
import type { EnginePass } from './engine-pass.js';

const leaderTtlSeconds = 10;

/** A client of the memory store that remembers its transactions and can hold them up. */
export class TracedStore implements Store {
  readonly transactions: Transaction[] = [];
  /** Awaited before each transaction takes effect. */
  before: (transaction: Transaction) => Promise<void> = async () => {};
  /** Awaited before each read. */
  beforeRead: () => Promise<void> = async () => {};
  reads = 0;
  readonly client: MemoryStore;

  constructor(client: MemoryStore) {
    this.client = client;
  }

  async transact(transaction: Transaction): Promise<TransactionResult> {
    this.transactions.push(transaction);
    await this.before(transaction);
    return this.client.transact(transaction);
  }

  async range(request: RangeRequest): Promise<RangeResult> {
    this.reads++;
    await this.beforeRead();
    return this.client.range(request);
  }

  watch: Store['watch'] = (request, listener) => this.client.watch(request, listener);
  grantLease: Store['grantLease'] = (ttlSeconds) => this.client.grantLease(ttlSeconds);
  keepLeaseAlive: Store['keepLeaseAlive'] = (id) => this.client.keepLeaseAlive(id);
  revokeLease: Store['revokeLease'] = (id) => this.client.revokeLease(id);
  compact: Store['compact'] = (revision) => this.client.compact(revision);
  readHealth: Store['readHealth'] = () => this.client.readHealth();
  close: Store['close'] = () => this.client.close();
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** What is said of a unit that is made or changed; the rest is usual. */
interface Submitted {
  readonly fleet?: string;
  readonly desired?: LaunchState;
  readonly order?: number;
  readonly file?: string;
  readonly runsOn?: string;
}

/** Engines over a store in memory, on one test clock, and what users and agents do to that store. */
export class TestCluster {
  readonly clock = new TestClock();
  readonly store = new MemoryStore({ clock: this.clock });
  readonly lines: LogLine[] = [];
  /** What engines told of their passes. */
  readonly passes: EnginePass[] = [];
  readonly #engines: Engine[] = [];

  /** An engine with a connection of its own to the store; it has not started. */
  engine(machine: string, { auditIntervalMs = 3_600_000 } = {}): { engine: Engine; store: TracedStore } {
    const store = new TracedStore(this.store.client());
    const engine = createEngine({
      store,
      clock: this.clock,
      log: this.#log(),
      machine: parseMachineId(machine),
      address: '',
      leaderTtlSeconds,
      auditIntervalMs,
      onPass: (pass) => this.passes.push(pass),
    });
    this.#engines.push(engine);
    return { engine, store };
  }

  /** Starts an engine and lets it take the lead. */
  async lead(machine = 'e1', options: { auditIntervalMs?: number } = {}) {
    const made = this.engine(machine, options);
    made.engine.start();
    await this.settle();
    return made;
  }

  /** Time for the engine to hear, decide and write, and for others to hear of it. */
  settle(): Promise<void> {
    return this.clock.advance(300);
  }

  async close(): Promise<void> {
    const closing = Promise.all(this.#engines.map((engine) => engine.close({ resign: false })));
    await this.clock.advance(100);
    await closing;
    await this.store.close();
  }

  async write(...success: Operation[]): Promise<Revision> {
    return (await this.store.transact({ success })).revision;
  }

  /** What the API does to make or change a unit. */
  async submit(text: string, given: Submitted = {}) {
    const { fleet = '', desired = 'launched', order = 1, file = `[X-Fleet]\n${fleet}\n`, runsOn } = given;
    const name = parseUnitName(text);
    const bytes = new TextEncoder().encode(file);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const record: UnitRecord = {
      hash: hashUnitFile(parseUnitFile(file.includes('broken') ? '' : file)),
      file: sha256,
      desiredState: desired,
      order,
      isGlobal: fleet.includes('Global=true'),
      ...(runsOn !== undefined && { runsOn: parseMachineId(runsOn) }),
    };
    await this.write(
      { kind: 'put', key: keys.unitFile(sha256), value: bytes },
      { kind: 'put', key: keys.unit(name), value: encodeRecord(record) },
    );
    return { name, sha256 };
  }

  destroy(text: string): Promise<Revision> {
    return this.write({ kind: 'delete', from: keys.unit(parseUnitName(text)) });
  }

  /** A machine registers, or changes its record. */
  async join(
    text: string,
    given: { metadata?: Record<string, string>; frozen?: string; maxUnits?: number } = {},
  ): Promise<void> {
    const value = encodeRecord({ address: '', version: '', instance: '', boot: '', metadata: {}, ...given });
    await this.write({ kind: 'put', key: keys.machine(parseMachineId(text)), value });
  }

  /** A machine registers as agents do: as one that is waited for when it is gone. */
  async register(...texts: readonly string[]): Promise<void> {
    const member: MemberRecord = { is: 'joined', address: '' };
    for (const text of texts) {
      await this.write({ kind: 'put', key: keys.member(parseMachineId(text)), value: encodeRecord(member) });
      await this.join(text);
    }
  }

  /** A machine leaves the cluster. */
  async leave(text: string): Promise<void> {
    const member: MemberRecord = { is: 'left', address: '' };
    await this.write({ kind: 'put', key: keys.member(parseMachineId(text)), value: encodeRecord(member) });
    await this.lose(text);
  }

  /** A person says that a machine which is gone is lost. */
  release(text: string): Promise<ReleaseOutcome> {
    return orderRelease({ store: this.store, log: this.#log() }, parseMachineId(text));
  }

  /** What is noted about machines that are gone, like `m1 grace`. */
  async losses(): Promise<string[]> {
    const known = await listLosses({ store: this.store, log: this.#log() });
    return known.map(({ machine, record: { state } }) => `${machine} ${state}`);
  }

  /** A machine's lease is over, and with it what the machine reported. */
  async lose(text: string): Promise<Revision> {
    const id = parseMachineId(text);
    const rows = (await this.keysOf(ranges.states)).filter((key) => key.endsWith(`/${id}`));
    return this.write(...[keys.machine(id), ...rows].map((key) => ({ kind: 'delete', from: key }) as const));
  }

  /** What an agent does when a unit is on its machine. */
  async report(unit: string, machine: string): Promise<void> {
    const record: Partial<StateRecord> = { isLaunched: true };
    const key = keys.state(parseUnitName(unit), parseMachineId(machine));
    await this.write({ kind: 'put', key, value: encodeRecord(record) });
  }

  /** What an agent does when a unit has left its machine. */
  async acknowledge(unit: string, machine: string): Promise<void> {
    await this.write({ kind: 'delete', from: keys.state(parseUnitName(unit), parseMachineId(machine)) });
  }

  /** Who runs what, as `unit > machine` for placements and `unit @ machine` (`leaving` if so) for schedule keys. */
  async layout(): Promise<string[]> {
    const lines: string[] = [];
    for (const { key, value } of (await this.store.range(ranges.placements)).kvs) {
      lines.push(`${key.split('/')[1]} > ${parse<PlacementRecord>(value).machine}`);
    }
    for (const { key, value } of (await this.store.range(ranges.schedule)).kvs) {
      const [, machine, name] = key.split('/');
      lines.push(`${name} @ ${machine}${parse<ScheduleRecord>(value).isLeaving ? ' leaving' : ''}`);
    }
    return lines;
  }

  async findSchedule(unit: string, machine: string): Promise<ScheduleRecord | undefined> {
    return this.#find<ScheduleRecord>(keys.schedule(parseMachineId(machine), parseUnitName(unit)));
  }

  async findReason(unit: string): Promise<ReasonRecord | undefined> {
    return this.#find<ReasonRecord>(keys.reason(parseUnitName(unit)));
  }

  async keysOf(range: { from: string; to: string }): Promise<string[]> {
    return (await this.store.range(range)).kvs.map(({ key }) => key);
  }

  async #find<R>(key: string): Promise<R | undefined> {
    const [kv] = (await this.store.range({ from: key })).kvs;
    return kv === undefined ? undefined : parse<R>(kv.value);
  }

  #log(): Logger {
    const at = (level: string) => (message: string, fields?: LogFields) => {
      this.lines.push({ level, message, fields });
    };
    const log: Logger = {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: () => log,
    };
    return log;
  }
}

/** Something to wait for until a test says so. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

/** Whether a transaction is one of a leader's plan: it compares something besides the election's key. */
export function isPlan({ compares = [] }: Transaction): boolean {
  return compares.length > 1;
}

/** The units that a transaction acts on. */
export function unitsOf({ compares = [] }: Transaction): UnitName[] {
  return compares.flatMap(({ key }: Compare) => (key.startsWith('units/') ? parseUnitName(key.slice(6)) : []));
}

function parse<R>(value: Uint8Array): R {
  return JSON.parse(new TextDecoder().decode(value)) as R;
}
