import { type ApiResponse, createApi, type Handle } from '@flotilla/api';
import { parseMachineId } from '@flotilla/cluster';
import { createEngine, type Engine } from '@flotilla/engine';
import { Registration, StatePublisher, type Store, StoreInspector, type UnitRow } from '@flotilla/registry';
import { createEtcdStore } from '@flotilla/registry-etcd';
import { type LogFields, type Logger, silentLogger, systemClock } from '@flotilla/runtime';
import { hashUnitFile, parseUnitFile, type UnitName } from '@flotilla/unit';

export const machine = parseMachineId('0123456789abcdef0123456789abcdef');
export const ttlSeconds = 3;

/** What a fleetd has over its store, but for systemd: an engine, an API, and a machine that is registered and has rows. */
export class CareCluster {
  readonly store: Store;
  /** `level message` of what was logged at warn or above, with the alarm if it was about one. */
  readonly warnings: string[] = [];
  readonly engine: Engine;
  readonly registration: Registration;
  readonly #publisher: StatePublisher;
  readonly #api: Handle;

  constructor(hosts: readonly string[], prefix: string) {
    const log = this.#logger();
    const clock = systemClock;
    const store = createEtcdStore({ hosts, prefix, requestTimeoutMs: 1_000, clock, log: silentLogger });
    this.store = store;
    this.engine = createEngine({ store, clock, log, machine, address: '', leaderTtlSeconds: ttlSeconds });
    this.registration = this.register(log);
    this.#publisher = new StatePublisher({ store, clock, log, machine, lease: () => this.registration.lease });
    this.registration.onChange(() => this.#publisher.wake());
    this.#api = createApi({
      store,
      clock,
      log: silentLogger,
      version: '1',
      pageLimit: 100,
      hostNames: [],
      isReady: () => this.registration.isFresh(),
      inspector: new StoreInspector({ store, clock }),
    });
  }

  start(): void {
    this.engine.start();
    this.registration.start();
    this.#publisher.start();
  }

  async close(): Promise<void> {
    await this.engine.close({ resign: false });
    await this.#publisher.close();
    await this.registration.close();
    await this.store.close();
  }

  /** A registration of this machine, as another process of the same installation would make it. */
  register(log: Logger = silentLogger, lease?: string): Registration {
    return new Registration({
      store: this.store,
      clock: systemClock,
      log,
      machine,
      record: { address: '', metadata: {}, version: '1', instance: 'one', boot: 'b' },
      ttlSeconds,
      storage: {
        load: async () => (lease === undefined ? undefined : { lease, machine, boot: 'b', instance: 'one' }),
        save: async () => undefined,
      },
    });
  }

  /** Tells what an agent would tell of a unit. */
  report(name: UnitName, active: string): void {
    const row: UnitRow = {
      load: 'loaded',
      active,
      sub: 'running',
      hash: hashUnitFile(parseUnitFile('')),
      uid: 1,
      order: 1,
      isLaunched: true,
    };
    this.#publisher.publish(new Map([[name, row]]));
  }

  async get(url: string): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
    const { status, body } = await this.send('GET', url);
    return { status, body: JSON.parse(body) };
  }

  send(method: string, url: string, body?: object): Promise<ApiResponse> {
    return this.#api({
      method,
      url,
      headers: body === undefined ? {} : { 'content-type': ['application/json'] },
      body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
      door: 'unix',
    });
  }

  /** Submits a unit that is to run. */
  submit(name: string): Promise<ApiResponse> {
    const options = [{ section: 'Service', name: 'ExecStart', value: '/bin/sleep 1' }];
    return this.send('PUT', `/fleet/v1/units/${name}`, { desiredState: 'launched', options });
  }

  #logger(): Logger {
    const note = (message: string, fields?: LogFields) => {
      this.warnings.push([message, fields?.alarm ?? ''].join(' ').trim());
    };
    return { ...silentLogger, warn: note, error: note };
  }
}

/** The codes of the alarms in an answer of the API. */
export function codesOf({ body }: { readonly body: Record<string, unknown> }): string[] {
  const { alarms = [] } = body as { alarms?: readonly { readonly code: string }[] };
  return alarms.map(({ code }) => code);
}
