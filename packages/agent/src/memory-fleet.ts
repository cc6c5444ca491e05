import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MachineId, parseMachineId } from '@flotilla/cluster';
import {
  decodeRecord,
  encodeRecord,
  keys,
  MemoryStore,
  type Operation,
  Registration,
  ranges,
  type ScheduleRecord,
  type StateRecord,
  type UnitRecord,
  type UpdateRecord,
} from '@flotilla/registry';
import { type Logger, silentLogger, TestClock } from '@flotilla/runtime';
import { MemoryUnitManager } from '@flotilla/systemd';
import { hashUnitFile, parseUnitFile, type UnitName } from '@flotilla/unit';
import { type Agent, createAgent } from './agent.js';
import { createLeaseStorage } from './lease-storage.js';

/** One machine of a {@link MemoryFleet}. */
export interface MemoryMember {
  readonly id: MachineId;
  readonly unitManager: MemoryUnitManager;
  /** Its connection to the store, with levers of its own. */
  store: MemoryStore;
  agent: Agent | undefined;
  boot: number;
}

const patienceMs = 60_000;
const stepMs = 20;

/** Hosts in memory with one store, one time, and real directories; a test plays the leader and the users. */
export class MemoryFleet {
  readonly clock = new TestClock();
  readonly store = new MemoryStore({ clock: this.clock });
  readonly members: MemoryMember[] = [];
  /** Messages of the log, with the units that they name. */
  readonly lines: string[] = [];
  /** Called after each step of time. */
  onStep: () => Promise<void> = async () => {};
  readonly #orders = new Map<UnitName, number>();
  readonly #directory: string;
  readonly #log: Logger;

  private constructor(directory: string) {
    this.#directory = directory;
    const note = (line: string, fields?: object) => this.lines.push(`${line} ${JSON.stringify(fields ?? {})}`);
    this.#log = { ...silentLogger, info: note, warn: note, error: note };
  }

  /** So many machines that are registered. */
  static async start(count: number): Promise<MemoryFleet> {
    const fleet = new MemoryFleet(await mkdtemp(join(tmpdir(), 'flotilla-fleet-')));
    await fleet.write({ kind: 'put', key: keys.cluster, value: encodeRecord({ uuid: 'one', schema: 1 }) });
    for (let index = 1; index <= count; index++) {
      const id = parseMachineId(String(index).padStart(32, '0'));
      const unitManager = new MemoryUnitManager({ clock: fleet.clock });
      const member: MemoryMember = { id, unitManager, store: fleet.store.client(), agent: undefined, boot: 1 };
      fleet.members.push(member);
      await fleet.startAgent(member);
    }
    await fleet.until(() => fleet.members.every(({ agent }) => agent?.isReady() === true), 'registered');
    return fleet;
  }

  async close(): Promise<void> {
    for (const member of this.members) {
      await member.agent?.close();
      await member.store.close();
    }
    await this.store.close();
    await rm(this.#directory, { recursive: true });
  }

  /** The member at a place, counted from 0 and round again. */
  at(index: number): MemoryMember {
    const member = this.members[index % this.members.length];
    if (member === undefined) throw new Error('no such machine');
    return member;
  }

  async startAgent(member: MemoryMember, ttlSeconds = 30): Promise<void> {
    const { clock } = this;
    const stateDirectory = join(this.#directory, member.id, 'state');
    const record = { address: '', metadata: {}, version: '1', instance: member.id, boot: String(member.boot) };
    const shared = { store: member.store, clock, log: this.#log };
    const registration = new Registration({
      ...{ ...shared, machine: member.id, record, ttlSeconds },
      storage: createLeaseStorage(stateDirectory),
    });
    const machine = { id: member.id, metadata: new Map<string, string>(), isClosed: false };
    const startedDirectory = this.#startedDirectory(member);
    const { unitManager } = member;
    member.agent = createAgent({
      ...{ ...shared, machine, unitManager, registration },
      ...{ stateDirectory, startedDirectory },
    });
    await member.agent.start();
  }

  /** Kills fleetd: nothing more of it reaches the store. */
  async kill(member: MemoryMember): Promise<void> {
    member.store.cut();
    await member.agent?.close();
    await member.store.close();
    member.agent = undefined;
    member.store = this.store.client();
  }

  async restart(member: MemoryMember): Promise<void> {
    await this.kill(member);
    await this.startAgent(member);
  }

  async powerOff(member: MemoryMember): Promise<void> {
    await this.kill(member);
    member.unitManager.reboot();
    await rm(this.#startedDirectory(member), { recursive: true, force: true });
    member.boot++;
  }

  async write(...success: Operation[]): Promise<void> {
    await this.store.transact({ success });
  }

  async putGlobal(name: UnitName, text: string, change: Partial<UnitRecord> = {}): Promise<void> {
    const order = this.#nextOrder(name);
    const record = { ...(await this.#putFile(text)), desiredState: 'launched', order, isGlobal: true, ...change };
    const value = encodeRecord(record);
    await this.write({ kind: 'put', key: keys.unit(name), value }, { kind: 'put', key: keys.global(name), value });
  }

  async destroyGlobal(name: UnitName): Promise<void> {
    await this.write({ kind: 'delete', from: keys.unit(name) }, { kind: 'delete', from: keys.global(name) });
  }

  /** What placing a unit on a machine writes. */
  async place(name: UnitName, member: MemoryMember, text: string, change: Partial<ScheduleRecord> = {}): Promise<void> {
    const content = { ...(await this.#putFile(text)), desiredState: 'launched', order: this.#nextOrder(name) } as const;
    await this.write({ kind: 'put', key: keys.unit(name), value: encodeRecord({ ...content, isGlobal: false }) });
    const [kv] = (await this.store.range({ from: keys.unit(name) })).kvs;
    const record: ScheduleRecord = { ...content, uid: kv?.createRevision ?? 0, isLeaving: false, ...change };
    await this.write(
      { kind: 'put', key: keys.placement(name), value: encodeRecord({ machine: member.id }) },
      { kind: 'put', key: keys.schedule(member.id, name), value: encodeRecord(record) },
    );
  }

  /** Who has which turn, as `group unit machine`. */
  async turns(): Promise<string[]> {
    const { kvs } = await this.store.range(ranges.updates);
    return kvs.map(({ key, value }) => {
      const { name, machine } = decodeRecord<UpdateRecord>(key, value);
      return `${key.slice('updates/'.length)} ${name} ${Number(machine)}`;
    });
  }

  async findRow(name: UnitName, member: MemoryMember): Promise<StateRecord | undefined> {
    const [kv] = (await this.store.range({ from: keys.state(name, member.id) })).kvs;
    return kv && decodeRecord<StateRecord>(kv.key, kv.value);
  }

  /** systemd's ActiveState of a unit on each machine, in their order. */
  async active(name: UnitName): Promise<string[]> {
    const found: string[] = [];
    for (const { unitManager } of this.members)
      found.push((await unitManager.listUnits([name])).get(name)?.active ?? '');
    return found;
  }

  /** Which content each machine's file of a unit has: the place of its text in `texts`; -1: none of them. */
  async versions(name: UnitName, texts: readonly string[]): Promise<number[]> {
    const hashes = texts.map((text) => hashUnitFile(parseUnitFile(text)));
    const found: number[] = [];
    for (const { unitManager } of this.members) {
      const hash = (await unitManager.listFiles()).get(name)?.hash;
      found.push(hash === undefined ? -1 : hashes.indexOf(hash));
    }
    return found;
  }

  /** Lets time pass. */
  async advance(ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
      await this.clock.advance(stepMs);
      await this.onStep();
    }
  }

  /** Lets time pass until something holds. */
  async until(holds: () => Promise<boolean> | boolean, what: string): Promise<void> {
    for (let waitedMs = 0; !(await holds()); waitedMs += stepMs) {
      if (waitedMs > patienceMs) throw new Error(`not ${what} after ${patienceMs} ms\n${this.lines.join('\n')}`);
      await this.advance(stepMs);
    }
  }

  /** Who puts new content that is to run orders a start with it. */
  #nextOrder(name: UnitName): number {
    const order = (this.#orders.get(name) ?? 0) + 1;
    this.#orders.set(name, order);
    return order;
  }

  #startedDirectory(member: MemoryMember): string {
    return join(this.#directory, member.id, 'started');
  }

  async #putFile(text: string) {
    const content = new TextEncoder().encode(text);
    const file = createHash('sha256').update(content).digest('hex');
    await this.write({ kind: 'put', key: keys.unitFile(file), value: content });
    return { file, hash: hashUnitFile(parseUnitFile(text)) };
  }
}
