import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Machine, parseMachineId } from '@flotilla/cluster';
import {
  decodeRecord,
  encodeRecord,
  keys,
  MemoryStore,
  type Operation,
  parseKey,
  Registration,
  ranges,
  type ScheduleRecord,
  type StateRecord,
  type Transaction,
  type TransactionResult,
  type UnitRecord,
} from '@flotilla/registry';
import { type Logger, silentLogger, TestClock } from '@flotilla/runtime';
import { type MemoryCall, MemoryUnitManager } from '@flotilla/systemd';
import { hashUnitFile, parseUnitFile, parseUnitName, type UnitName } from '@flotilla/unit';
import { type Agent, createAgent } from './agent.js';
import type { AgentObserver } from './agent-observer.js';
import { createLeaseStorage } from './lease-storage.js';

/** A service that runs until it is stopped. */
export const sleeper = '[Service]\nExecStart=/bin/sleep infinity\n';

export const machine: Machine = {
  id: parseMachineId('0123456789abcdef0123456789abcdef'),
  metadata: new Map([['role', 'web']]),
  isClosed: false,
};

const encoder = new TextEncoder();

/** How much time a test gives to what should happen by itself, in steps of {@link stepMs}. */
const patienceMs = 20_000;
const stepMs = 20;

/** The agent's client of the store. */
class AgentStore extends MemoryStore {
  /** The unit files that were read, by SHA-256; a test empties it where it begins to look. */
  readonly filesRead: string[] = [];

  override transact(transaction: Transaction): Promise<TransactionResult> {
    for (const operation of transaction.success) {
      const parsed = operation.kind === 'range' ? parseKey(operation.from) : undefined;
      if (parsed?.kind === 'unit-file') this.filesRead.push(parsed.sha256);
    }
    return super.transact(transaction);
  }
}

/**
 * A host in memory, for tests: store, systemd and time are in memory, its two directories are real. `engine` is a second
 * client of the store, through which a test plays everybody else.
 */
export class MemoryHost {
  readonly clock = new TestClock();
  readonly store = new AgentStore({ clock: this.clock });
  readonly engine = this.store.client();
  readonly unitManager = new MemoryUnitManager({ clock: this.clock, onCall: (...call) => this.#note(...call) });
  /** What systemd was asked to do, `stop web.service` for one; a test empties it where it begins to look. */
  readonly actions: string[] = [];
  /** Called once, before the next call to systemd. */
  beforeNextCall: (() => void) | undefined;
  /** What was warned of, and worse. */
  readonly lines: string[] = [];
  /** What the agent found when it asked the store who it is, and when it no longer knew. */
  readonly verdicts: (string | undefined)[] = [];
  /** What the agent counted: tasks as `start 2`, with `, 1 failed` if so. */
  readonly counted: string[] = [];
  /** Whether each of its passes failed. */
  readonly failedPasses: boolean[] = [];
  /** Keys of state rows, in the order in which they were deleted. */
  readonly deletedRows: string[] = [];
  agent: Agent;
  /** Of the present agent. */
  registration: Registration;
  #boot = 1;
  readonly #log: Logger;
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
    const note = (line: string) => this.lines.push(line);
    this.#log = { ...silentLogger, warn: note, error: note };
    this.registration = this.#createRegistration();
    this.agent = this.#createAgent();
    this.engine.watch(
      { ranges: [{ ...ranges.states, deletesOnly: true }], fromRevision: 1 },
      {
        onEvents: (events) => {
          for (const event of events) if (event.kind === 'delete') this.deletedRows.push(event.key);
        },
        onBroken() {},
      },
    );
  }

  get stateDirectory(): string {
    return join(this.#directory, 'state');
  }

  get startedDirectory(): string {
    return join(this.#directory, 'started');
  }

  /** A host with a running agent, in a cluster that is set up. */
  static async start(): Promise<MemoryHost> {
    const host = new MemoryHost(await mkdtemp(join(tmpdir(), 'flotilla-agent-')));
    await host.setUpCluster('one');
    await host.agent.start();
    await host.until(() => host.agent.isReady(), 'registered');
    return host;
  }

  async setUpCluster(uuid: string): Promise<void> {
    await this.write({ kind: 'put', key: keys.cluster, value: encodeRecord({ uuid, schema: 1 }) });
  }

  async close(): Promise<void> {
    await this.agent.close();
    await this.store.close();
    await this.engine.close();
    await rm(this.#directory, { recursive: true });
  }

  /** Ends the daemon, without a word to its units, and starts another one. */
  async restartAgent(): Promise<void> {
    await this.agent.close();
    this.agent = this.#createAgent();
    await this.agent.start();
  }

  /** As {@link restartAgent}, with a reboot of the machine in between: it is off until its lease has ended, or for `offMs`. */
  async reboot(offMs = 35_000): Promise<void> {
    await this.agent.close();
    this.unitManager.reboot();
    await this.clock.advance(offMs);
    await rm(this.startedDirectory, { recursive: true, force: true });
    this.#boot++;
    this.agent = this.#createAgent();
    await this.agent.start();
  }

  async write(...success: Operation[]): Promise<void> {
    await this.engine.transact({ success });
  }

  /** What putting a unit's file and placing it here writes. Returns the record, to be changed and put again. */
  async schedule(name: UnitName, text = sleeper, change: Partial<ScheduleRecord> = {}): Promise<ScheduleRecord> {
    const { file, hash } = await this.putFile(text);
    const order = 1;
    const unit: UnitRecord = { hash, file, desiredState: 'launched', order, isGlobal: false };
    await this.write({ kind: 'put', key: keys.unit(name), value: encodeRecord(unit) });
    const [kv] = (await this.engine.range({ from: keys.unit(name) })).kvs;
    const record: ScheduleRecord = { ...recordOf(unit), uid: kv?.createRevision ?? 0, isLeaving: false, ...change };
    await this.write(
      { kind: 'put', key: keys.placement(name), value: encodeRecord({ machine: machine.id }) },
      { kind: 'put', key: keys.schedule(machine.id, name), value: encodeRecord(record) },
    );
    return record;
  }

  async reschedule(name: UnitName, record: ScheduleRecord): Promise<void> {
    await this.write({ kind: 'put', key: keys.schedule(machine.id, name), value: encodeRecord(record) });
  }

  async putGlobal(name: UnitName, text: string, change: Partial<UnitRecord> = {}): Promise<void> {
    const { file, hash } = await this.putFile(text);
    const record: UnitRecord = { hash, file, desiredState: 'launched', order: 1, isGlobal: true, ...change };
    await this.write(
      { kind: 'put', key: keys.unit(name), value: encodeRecord(record) },
      { kind: 'put', key: keys.global(name), value: encodeRecord(record) },
    );
  }

  /** What setting a key of this machine's metadata writes; `undefined` takes it back. */
  async setMetadata(key: string, value: string | undefined): Promise<void> {
    const at = keys.metadata(machine.id, key);
    await this.write(
      value === undefined ? { kind: 'delete', from: at } : { kind: 'put', key: at, value: encodeRecord({ value }) },
    );
  }

  async putFile(text: string) {
    const content = encoder.encode(text);
    const file = createHash('sha256').update(content).digest('hex');
    await this.write({ kind: 'put', key: keys.unitFile(file), value: content });
    return { file, hash: hashUnitFile(parseUnitFile(text)) };
  }

  async findRow(name: UnitName): Promise<StateRecord | undefined> {
    const { kvs } = await this.engine.range({ from: keys.state(name, machine.id) });
    return kvs[0] === undefined ? undefined : decodeRecord<StateRecord>(kvs[0].key, kvs[0].value);
  }

  /** systemd's ActiveState of a unit. */
  async active(name: UnitName): Promise<string | undefined> {
    return (await this.unitManager.listUnits([name])).get(name)?.active;
  }

  /** Lets time pass until something holds. */
  async until(holds: () => Promise<boolean> | boolean, what: string): Promise<void> {
    for (let waitedMs = 0; !(await holds()); waitedMs += stepMs) {
      if (waitedMs > patienceMs) throw new Error(`not ${what} after ${patienceMs} ms`);
      await this.clock.advance(stepMs);
    }
  }

  /** The agent leaves its cluster. */
  async leave(): Promise<void> {
    let hasLeft = false;
    const leaving = this.agent.leave({ timeoutMs: 30_000 }).finally(() => {
      hasLeft = true;
    });
    await this.until(() => hasLeft, 'left');
    await leaving;
  }

  /** Has units scheduled, and running; what the agent did for that is forgotten. */
  async run(...names: readonly UnitName[]): Promise<void> {
    for (const name of names) await this.schedule(name);
    for (const name of names) await this.untilRow(name, 'active');
    this.actions.length = 0;
  }

  async untilRow(name: UnitName, active: string): Promise<void> {
    await this.until(async () => (await this.findRow(name))?.active === active, `${name} reported ${active}`);
  }

  #createAgent(): Agent {
    const { store, clock, unitManager, stateDirectory, startedDirectory } = this;
    this.registration = this.#createRegistration();
    const { registration } = this;
    const onVerified = (reason: string | undefined) => this.verdicts.push(reason);
    const onDoubt = () => this.verdicts.push('in doubt');
    const observer: AgentObserver = {
      onPass: ({ isFailed }) => this.failedPasses.push(isFailed),
      onTasks: (kind, { count, failed }) =>
        this.counted.push(`${kind} ${count}${failed > 0 ? `, ${failed} failed` : ''}`),
    };
    const own = { stateDirectory, startedDirectory, registration, onVerified, onDoubt, observer };
    return createAgent({ store, unitManager, machine, clock, log: this.#log, ...own });
  }

  #createRegistration(): Registration {
    const { store, clock, stateDirectory } = this;
    return new Registration({
      store,
      clock,
      log: this.#log,
      machine: machine.id,
      record: { address: '', metadata: {}, version: '1', instance: 'one', boot: String(this.#boot) },
      ttlSeconds: 30,
      storage: createLeaseStorage(stateDirectory),
    });
  }

  #note(call: MemoryCall, names: readonly UnitName[]): void {
    const hook = this.beforeNextCall;
    this.beforeNextCall = undefined;
    hook?.();
    if (call !== 'list') for (const name of names) this.actions.push(`${call} ${name}`);
  }
}

function recordOf({ hash, file, desiredState, order }: UnitRecord) {
  return { hash, file, desiredState, order };
}

/** A unit's name, for short. */
export const service = (name: string): UnitName => parseUnitName(`${name}.service`);
