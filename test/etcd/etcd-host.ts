import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Agent, createAgent, createLeaseStorage } from '@flotilla/agent';
import { type Machine, type MachineId, parseMachineId } from '@flotilla/cluster';
import { createEngine, type Engine } from '@flotilla/engine';
import { encodeRecord, keys, putUnit, Registration, type Store, type UnitContent } from '@flotilla/registry';
import { type Logger, silentLogger, systemClock } from '@flotilla/runtime';
import { MemoryUnitManager } from '@flotilla/systemd';
import { hashUnitFile, parseUnitFile, type UnitName } from '@flotilla/unit';
import { time } from './test-stores.js';

const clock = systemClock;
const patienceMs = 30_000;

/** A service that runs until it is stopped. */
export const sleeper = '[Service]\nExecStart=/bin/sleep infinity\n';

export async function untilSo(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  const startedMs = clock.monotonicMs();
  for (; !(await isSo()); await time.elapse(20))
    assert.ok(clock.monotonicMs() - startedMs < patienceMs, `not within ${patienceMs} ms: ${what}`);
}

export function contentOf(text: string | Uint8Array): UnitContent {
  const file = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const parsed = parseUnitFile(typeof text === 'string' ? text : '');
  return { file, hash: hashUnitFile(parsed), isGlobal: false, isVerbatim: true };
}

/** Puts a unit that is to run, as the API does. */
export async function launch(store: Store, name: UnitName, text = sleeper): Promise<void> {
  const change = { content: contentOf(text), desiredState: 'launched' } as const;
  await putUnit({ store, log: silentLogger }, name, change);
}

export function startEngine(store: Store, machine: MachineId, agentTtlSeconds = 2): Engine {
  const ttls = { leaderTtlSeconds: 5, agentTtlSeconds };
  const engine = createEngine({ store, clock, log: silentLogger, machine, address: '', ...ttls });
  engine.start();
  return engine;
}

/** A machine that registers, and does nothing. */
export async function joinMachine(store: Store, id: MachineId, metadata: Record<string, string> = {}): Promise<void> {
  const value = encodeRecord({ address: '', version: '', instance: '', boot: '', metadata });
  await store.transact({ success: [{ kind: 'put', key: keys.machine(id), value }] });
}

/** A host whose store is a real etcd and whose systemd is in memory: the agent's code, and an engine's. */
export class EtcdHost {
  readonly machine: Machine = { id: parseMachineId('a'.repeat(32)), metadata: new Map(), isClosed: false };
  /** What systemd was asked to do: `stop web.service` for one. */
  readonly actions: string[] = [];
  /** What was warned of, and worse. */
  readonly lines: string[] = [];
  readonly agent: Agent;
  readonly #engine: Engine;
  readonly #unitManager: MemoryUnitManager;
  readonly #directory = mkdtempSync(join(tmpdir(), 'flotilla-host-'));

  private constructor(store: Store) {
    const note = (message: string) => this.lines.push(message);
    const log: Logger = { ...silentLogger, warn: note, error: note };
    this.#unitManager = new MemoryUnitManager({
      clock,
      onCall: (call, names) => call !== 'list' && this.actions.push(...names.map((name) => `${call} ${name}`)),
    });
    const registration = new Registration({
      store,
      clock,
      log,
      machine: this.machine.id,
      record: { address: '', metadata: {}, version: '1', instance: 'one', boot: '1' },
      ttlSeconds: 2,
      storage: createLeaseStorage(this.#directory),
    });
    this.agent = createAgent({
      store,
      clock,
      log,
      registration,
      machine: this.machine,
      unitManager: this.#unitManager,
      stateDirectory: this.#directory,
      startedDirectory: join(this.#directory, 'started'),
    });
    this.#engine = startEngine(store, this.machine.id);
  }

  static async start(store: Store): Promise<EtcdHost> {
    const host = new EtcdHost(store);
    await host.agent.start();
    await untilSo('registered', () => host.agent.isReady());
    return host;
  }

  async isActive(name: UnitName): Promise<boolean> {
    return (await this.#unitManager.listUnits([name])).get(name)?.active === 'active';
  }

  untilActive(name: UnitName): Promise<void> {
    return untilSo(`${name} runs`, () => this.isActive(name));
  }

  untilStopped(name: UnitName): Promise<void> {
    return untilSo(`${name} is stopped`, async () => !(await this.isActive(name)));
  }

  /** Stops deciding, so that a test can write what a leader would. */
  async dismissEngine(): Promise<void> {
    await this.#engine.close({ resign: true });
  }

  async close(): Promise<void> {
    await this.#engine.close({ resign: false });
    await this.agent.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
