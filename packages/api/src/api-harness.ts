import assert from 'node:assert/strict';
import type { MachineId } from '@flotilla/cluster';
import { encodeRecord, keys, MemoryStore, StoreInspector } from '@flotilla/registry';
import { type LogFields, type Logger, silentLogger, TestClock } from '@flotilla/runtime';
import { parseUnitName, type UnitName } from '@flotilla/unit';
import { createApi, type Handle } from './api.js';
import type { ApiDeps } from './deps.js';
import type { ApiRequest, ApiResponse } from './request.js';

/** The parts of a request that tests care about; the rest is what a client on the unix socket sends. */
export type TestRequest = Partial<Omit<ApiRequest, 'body'>> & { readonly body?: unknown };

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** An API over a store in memory. */
export class TestApi {
  readonly clock = new TestClock();
  readonly store = new MemoryStore({ clock: this.clock });
  readonly log: LogLine[] = [];
  isReady = true;
  /** What {@link send} asks. */
  readonly handle: Handle;

  constructor(deps: Partial<ApiDeps> = {}) {
    this.handle = createApi({
      store: this.store,
      clock: this.clock,
      log: this.#logger(),
      version: '1.2.3',
      pageLimit: 100,
      hostNames: ['Core-01', 'core-01.example.org'],
      isReady: () => this.isReady,
      inspector: new StoreInspector({ store: this.store, clock: this.clock }),
      ...deps,
    });
  }

  send({ body, ...request }: TestRequest): Promise<ApiResponse> {
    const json: ApiRequest['headers'] = body === undefined ? {} : { 'content-type': ['application/json'] };
    return this.handle({
      method: 'GET',
      url: '/',
      headers: json,
      door: 'unix',
      ...request,
      body: Buffer.from(typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body)),
    });
  }

  /** A `GET` below `/fleet/v1`, which answers 200 with JSON. */
  async get(path: string): Promise<unknown> {
    const { status, body } = await this.send({ url: `/fleet/v1${path}` });
    assert.equal(status, 200, body);
    return JSON.parse(body);
  }

  /** The status of a `PUT`. */
  async put(name: string, body: unknown): Promise<number> {
    return (await this.send({ method: 'PUT', url: `/fleet/v1/units/${name}`, body })).status;
  }

  /** What the leader would write. */
  place(name: string, machine: string): Promise<unknown> {
    return this.write(keys.placement(parseUnitName(name)), { machine });
  }

  /** What an agent would write, of the unit as it is now. */
  async reportState(name: string, machine: string, options: object = {}): Promise<void> {
    const unit = parseUnitName(name);
    const state = { load: 'loaded', active: 'active', sub: 'running', hash: '1'.repeat(40), since: 5, order: 1 };
    const record = { ...state, isLaunched: true, uid: await this.#uidOf(unit), ...options };
    await this.write(keys.state(unit, machine as MachineId), record);
  }

  write(key: string, record: object): Promise<unknown> {
    return this.store.transact({ success: [{ kind: 'put', key, value: encodeRecord(record) }] });
  }

  async #uidOf(name: UnitName): Promise<number> {
    return (await this.store.range({ from: keys.unit(name) })).kvs[0]?.createRevision ?? 0;
  }

  #logger(): Logger {
    const at = (level: string) => (message: string, fields?: LogFields) => {
      this.log.push({ level, message, fields });
    };
    return { ...silentLogger, debug: at('debug'), warn: at('warn'), error: at('error') };
  }
}

/** The text of an error, which says its status too. */
export function errorText({ status, headers, body }: ApiResponse): string {
  const { error } = JSON.parse(body) as { error: { code: number; message: string } };
  assert.equal(error.code, status);
  assert.equal(headers['Content-Type'], 'application/json');
  return error.message;
}

/** A unit file that says little. */
export function sleeper(seconds = 1): readonly object[] {
  return [{ section: 'Service', name: 'ExecStart', value: `/bin/sleep ${seconds}` }];
}
