import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { MachineId } from '@flotilla/cluster';
import { encodeRecord, keys, type Store } from '@flotilla/registry';
import { hashUnitFile, parseUnitFile, parseUnitName } from '@flotilla/unit';
import { type RawAnswer, RawClient } from './raw-client.js';

/** An API that is served, with three entries on a page, over a store that nobody else writes to. */
export interface V1Harness {
  /** Socket files, and `host:port`s. */
  readonly addresses: readonly string[];
  readonly store: Store;
  /** What it says in `Server`. */
  readonly server: string;
}

/** A request, and what must be answered to it to the byte. */
export interface Step {
  /** Method, and path below the prefix; or a whole path after a `^`. */
  readonly ask: string;
  /** Sent as it is. */
  readonly body?: string;
  /** Of the body. @default `application/json` if there is one */
  readonly types?: readonly string[];
  readonly status: number;
  /** The body; texts of errors may be given as what they must match. */
  readonly says: string | RegExp;
  readonly allow?: string;
  readonly location?: string;
  /** @default `application/json` if there is a body */
  readonly type?: string;
  /** How it is not fleet's answer, and why. */
  readonly differs?: string;
}

/** What is asked one after the other of a cluster that is empty but for `given`. */
export interface Story {
  readonly says: string;
  readonly given?: (scene: Scene) => Promise<void>;
  readonly steps: readonly Step[];
}

export const prefixes = ['/fleet/v1', '/v1-alpha'];

/** What others than the API write. */
export class Scene {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  machine(id: string, record: object = {}): Promise<unknown> {
    const own = { address: '', metadata: {}, version: '', instance: 'i', boot: 'b' };
    return this.write(keys.machine(id as MachineId), { ...own, ...record });
  }

  /** A unit that is somebody's. */
  async unit(name: string, { text, owner }: { readonly text: string; readonly owner: string }): Promise<void> {
    const bytes = Buffer.from(text);
    const file = fileHashOf(text);
    await this.#store.transact({ success: [{ kind: 'put', key: keys.unitFile(file), value: bytes }] });
    const what = { hash: hashUnitFile(parseUnitFile(bytes)), file, owner };
    await this.write(keys.unit(parseUnitName(name)), { ...what, desiredState: 'inactive', order: 0, isGlobal: false });
  }

  place(name: string, machine: string): Promise<unknown> {
    return this.write(keys.placement(parseUnitName(name)), { machine });
  }

  async state(name: string, machine: string, record: object = {}): Promise<void> {
    const unit = parseUnitName(name);
    const { kvs } = await this.#store.range({ from: keys.unit(unit) });
    const own = { load: 'loaded', active: 'active', sub: 'running', hash: '1'.repeat(40), since: 5, order: 1 };
    const about = { isLaunched: true, uid: kvs[0]?.createRevision ?? 0 };
    await this.write(keys.state(unit, machine as MachineId), { ...own, ...about, ...record });
  }

  write(key: string, record: object): Promise<unknown> {
    return this.#store.transact({ success: [{ kind: 'put', key, value: encodeRecord(record) }] });
  }
}

/** The `fileHash` of a unit with this file. */
export function fileHashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** JSON with the value. */
export function ok(ask: string, value: object): Step {
  return { ask, status: 200, says: JSON.stringify(value) };
}

/** A change that is made. */
export function done(ask: string, status: 201 | 204, body?: unknown): Step {
  return { ask, status, says: '', ...bodyOf(body) };
}

export type FailureExtra = Pick<Step, 'types' | 'allow' | 'differs'> & { readonly body?: unknown };

/** An error with exactly that text, or one that matches. */
export function fails(ask: string, [status, text]: readonly [number, string | RegExp], extra: FailureExtra = {}): Step {
  const { body, ...rest } = extra;
  const says = text instanceof RegExp ? text : errorBody(status, text);
  return { ask, status, says, ...rest, ...bodyOf(body) };
}

export function errorBody(code: number, message: string): string {
  return `{"error":{"code":${code},"message":${JSON.stringify(message)}}}`;
}

function bodyOf(body: unknown): { readonly body?: string } {
  if (body === undefined) return {};
  return { body: typeof body === 'string' ? body : JSON.stringify(body) };
}

/** Declares a test for each story, each door and each prefix. */
export function describeStories(open: () => V1Harness, stories: readonly Story[]): void {
  for (const { says, given, steps } of stories)
    test(says, async () => {
      const { addresses, store, server } = open();
      for (const address of addresses)
        for (const prefix of prefixes) {
          await store.transact({ success: [{ kind: 'delete', from: '!', to: '~' }] });
          await given?.(new Scene(store));
          const ask = new Asking(address, prefix);
          try {
            for (const step of steps) check(await ask.send(step), { step, server, where: `${address} ${prefix}` });
          } finally {
            ask.close();
          }
        }
    });
}

/** Sends steps over one connection, for as long as the server keeps it. */
class Asking {
  readonly #address: string;
  readonly #prefix: string;
  #client: RawClient | undefined;

  constructor(address: string, prefix: string) {
    this.#address = address;
    this.#prefix = prefix;
  }

  async send({ ask, body, types }: Step): Promise<RawAnswer> {
    const [method = '', path = ''] = ask.split(' ');
    const target = path.startsWith('^') ? path.slice(1).replace('{prefix}', this.#prefix) : this.#prefix + path;
    const ofBody = (types ?? (body === undefined ? [] : ['application/json'])).map((type) => `Content-Type: ${type}`);
    const length = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
    const lines = [`${method} ${target} HTTP/1.1`, 'Host: localhost', ...ofBody, ...length];
    this.#client ??= await RawClient.connect(this.#address);
    this.#client.send(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`);
    const answer = await this.#client.next(method);
    assert.ok(answer !== undefined, `${ask}: the connection was closed without an answer`);
    if (answer.headers.Connection === 'close') this.close();
    return answer;
  }

  close(): void {
    this.#client?.close();
    this.#client = undefined;
  }
}

interface Expected {
  readonly step: Step;
  readonly server: string;
  readonly where: string;
}

function check({ status, headers, body }: RawAnswer, { step, server, where }: Expected): void {
  const { ask, says, allow, location, type } = step;
  const at = `${where}: ${ask} ${step.body ?? ''}`;
  const isHead = ask.startsWith('HEAD ');
  assert.equal(status, step.status, `${at}: ${body}`);
  if (typeof says === 'string') assert.equal(body, isHead ? '' : says, at);
  else {
    const { error } = JSON.parse(body) as { error: { code: number; message: string } };
    assert.match(error.message, says, at);
    assert.equal(body, errorBody(status, error.message), at);
  }
  const { Connection: _, 'Keep-Alive': __, Date: ___, 'Content-Length': length, ...told } = headers;
  assert.deepEqual(
    told,
    {
      Server: server,
      ...(says === '' && type === undefined ? {} : { 'Content-Type': type ?? 'application/json' }),
      ...(allow === undefined ? {} : { Allow: allow }),
      ...(location === undefined ? {} : { Location: location.replace('{prefix}', where.split(' ')[1] ?? '') }),
    },
    at,
  );
  const bytes = typeof says === 'string' ? Buffer.byteLength(says) : Buffer.byteLength(body);
  assert.equal(length, status === 204 ? undefined : String(bytes), at);
}
