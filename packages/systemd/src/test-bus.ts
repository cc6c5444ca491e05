import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createBroker, createClient, type MessageBus } from 'dbus-native';
import type { UnitStatus } from './unit-manager.js';

const [systemd, manager] = ['org.freedesktop.systemd1', 'org.freedesktop.systemd1.Manager'] as const;
const object = '/org/freedesktop/systemd1';

/** A bus with as much of a systemd on it as a test needs, in this process. */
export class TestBus {
  /** What listings say of units; the others are not found. */
  readonly units = new Map<string, UnitStatus>();
  /** The names of each listing. */
  readonly listings: (readonly string[])[] = [];
  /** What systemd was told to do, each with its arguments. */
  readonly told: string[] = [];
  /** Errors that are given instead of doing it: a D-Bus name and a message, by unit. */
  readonly refusals = new Map<string, readonly [name: string, message: string]>();
  /** Runs when a listing has been made and is not yet answered. @default nothing */
  onListing: () => void = () => {};
  readonly #directory: string;
  #broker: ReturnType<typeof createBroker> | undefined;
  #systemd: MessageBus | undefined;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async create(): Promise<TestBus> {
    return new TestBus(await mkdtemp(join(tmpdir(), 'flotilla-bus-')));
  }

  get socket(): string {
    return join(this.#directory, 'bus');
  }

  /** Starts the bus, and systemd on it. */
  async start(): Promise<void> {
    const broker = createBroker();
    this.#broker = broker;
    await new Promise<void>((resolve) => broker.listen({ socket: this.socket }, () => resolve()));
    await this.startSystemd();
  }

  /** systemd comes to the bus. */
  async startSystemd(): Promise<void> {
    const bus = createClient({ socket: this.socket, authMethods: ['EXTERNAL'] });
    bus.connection.on('error', () => {});
    await bus.requestName(systemd, 0);
    const job = ['ss', 'o', [], []] as const;
    const methods = {
      ...{ Subscribe: ['', '', [], []], ListUnitsByNames: ['as', 'a(ssssssouso)', [], []] },
      ...{ StartUnit: job, StopUnit: job, RestartUnit: job, LinkUnitFiles: ['asbb', 'a(sss)', [], []] },
    } as const;
    const queue = (verb: string) => (name: string, mode: string) => this.#queue(verb, name, mode);
    const answers = {
      ...{ Subscribe: () => null, ListUnitsByNames: (names: readonly string[]) => this.#list(names) },
      ...{ StartUnit: queue('start'), StopUnit: queue('stop'), RestartUnit: queue('restart') },
      LinkUnitFiles: (paths: readonly string[]) => this.#link(paths),
    };
    bus.exportInterface(answers, object, {
      name: manager,
      methods: JSON.parse(JSON.stringify(methods)),
    });
    this.#systemd = bus;
  }

  /** systemd leaves the bus. */
  async stopSystemd(): Promise<void> {
    await this.#systemd?.close();
    this.#systemd = undefined;
  }

  /** Everything goes down; {@link start} brings it back. */
  async stop(): Promise<void> {
    await this.stopSystemd();
    await new Promise<void>((resolve) => this.#broker?.close(() => resolve()) ?? resolve());
    this.#broker = undefined;
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** A unit changes and systemd says so; `label` is the last part of its object's path. */
  change(label: string): void {
    const interfaces = 'org.freedesktop.DBus.Properties';
    const body = [`${systemd}.Unit`, [], []];
    this.#systemd?.sendSignal(`${object}/unit/${label}`, interfaces, 'PropertiesChanged', 'sa{sv}as', body);
  }

  /** A job ends. */
  endJob(unit: string): void {
    this.#systemd?.sendSignal(object, manager, 'JobRemoved', 'uoss', [1, `${object}/job/1`, unit, 'done']);
  }

  /** systemd has reloaded. */
  reload(): void {
    this.#systemd?.sendSignal(object, manager, 'Reloading', 'b', [false]);
  }

  #queue(verb: string, name: string, mode: string): string {
    this.#refuse(name);
    this.told.push(`${verb} ${name} ${mode}`);
    return `${object}/job/1`;
  }

  #link(paths: readonly string[]): unknown[] {
    for (const path of paths) this.#refuse(basename(path));
    this.told.push(`link ${paths.map((path) => basename(path)).join(' ')}`);
    return paths.map((path) => ['symlink', `/run/systemd/system/${basename(path)}`, path]);
  }

  #refuse(unit: string): void {
    const [name, message] = this.refusals.get(unit) ?? [];
    if (name !== undefined) throw Object.assign(new Error(message), { dbusName: name });
  }

  #list(names: readonly string[]): unknown[] {
    this.listings.push(names);
    const rows = names.map((name) => {
      const { load, active, sub, job } = this.units.get(name) ?? {
        load: 'not-found',
        active: 'inactive',
        sub: 'dead',
        job: undefined,
      };
      return [name, '', load, active, sub, '', `${object}/unit/x`, job === undefined ? 0 : 1, job ?? '', '/'];
    });
    this.onListing();
    return rows;
  }
}
