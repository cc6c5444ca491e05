import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { type RawAnswer, RawClient } from '@flotilla/api/contract';
import type { Store } from '@flotilla/registry';
import { systemClock } from '@flotilla/runtime';
import { createChance } from '../chaos/chance.js';
import { isLong, waitUntil } from '../lab/index.js';
import { AcceptedChanges } from './accepted-changes.js';
import { etcdMissing, TestEtcd } from './etcd.js';
import { FleetdProcess } from './fleetd-process.js';
import { RandomRequests, type Sending } from './random-requests.js';
import { readRequests } from './raw-requests.js';
import { openStore } from './test-stores.js';

const requests = isLong ? 100_000 : 2_000;
const rounds = 10;
/** Names that no slip of a few bytes makes one another. */
const namespaces = ['aaaa', 'bcbc', 'cdde', 'dfhf', 'ehij', 'fkkl'];

const chosen = process.env.FLOTILLA_SEED ?? '';
const seed = chosen === '' ? Math.floor(systemClock.random() * 2 ** 32) : Number(chosen);

const mebibyte = 1024 * 1024;

describe(`${requests} requests at random (again with FLOTILLA_SEED=${seed})`, { skip: etcdMissing() ?? false }, () => {
  it('leave fleetd as it was, and in the registry what was accepted', async (t) => {
    const etcd = await TestEtcd.start();
    t.after(() => etcd.remove());
    const directory = mkdtempSync(join(tmpdir(), 'flotilla-random-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const address = join(directory, 'fleet.sock');
    const fleetd = new FleetdProcess({
      etcd_servers: etcd.url,
      etcd_key_prefix: '/random/',
      etcd_request_timeout: '20',
      disable_engine: 'true',
      verbosity: '0',
      listen: `unix://${address}`,
    });
    t.after(() => fleetd.remove());
    const store = openStore({ hosts: [etcd.url], prefix: '/random/', requestTimeoutMs: 20_000 });
    await waitUntil({ what: 'the API is served', read: () => statusOf(address), until: (status) => status === 200 });

    const model = new AcceptedChanges();
    const tally = new Map<string, number>();
    const clients = namespaces.map((namespace, at) => new RandomClient({ address, namespace, at, model, tally }));
    const costs: Costs[] = [];
    for (let round = 0; round < rounds; round++) {
      await Promise.all(clients.map((client) => client.send(Math.ceil(requests / rounds / clients.length))));
      assert.ok(fleetd.isRunning, fleetd.lines.join('\n'));
      await assertHolds(store, model);
      costs.push(await settledCosts(fleetd.pid, costs[0]));
    }
    t.diagnostic(
      `answers: ${[...tally]
        .sort()
        .map(([what, count]) => `${what}: ${count}`)
        .join(', ')}`,
    );
    t.diagnostic(
      `memory, descriptors: ${costs.map(({ bytes, files }) => `${Math.round(bytes / mebibyte)} MiB, ${files}`).join('; ')}`,
    );
    assert.deepEqual(fleetd.complaints, []);
    assert.ok(model.count > requests / 20, `${model.count} changes are too few to tell anything`);
    const [early, late] = [costs[1], costs.at(-1)];
    // The heap has its size by then; what leaks a kilobyte a request is 90 MiB.
    assert.ok(
      late !== undefined && early !== undefined && late.bytes < early.bytes * 1.3 + 24 * mebibyte,
      JSON.stringify(costs),
    );
  });
});

interface RandomClientOptions {
  readonly address: string;
  readonly namespace: string;
  readonly at: number;
  readonly model: AcceptedChanges;
  /** How often something happened. */
  readonly tally: Map<string, number>;
}

class RandomClient {
  readonly #options: RandomClientOptions;
  readonly #requests: RandomRequests;
  #kept: RawClient | undefined;

  constructor(options: RandomClientOptions) {
    this.#options = options;
    this.#requests = new RandomRequests(createChance(seed + options.at), options.namespace);
  }

  async send(count: number): Promise<void> {
    for (let sent = 0; sent < count; sent++) {
      const sending = this.#requests.next();
      try {
        await this.#send(sending);
      } catch (error) {
        const shown = sending.bytes.subarray(0, 3_000).toString('latin1');
        throw new Error(`seed ${seed}, ${this.#options.namespace}, ${sending.after}: ${JSON.stringify(shown)}`, {
          cause: error,
        });
      }
    }
    this.#kept?.close();
    this.#kept = undefined;
  }

  async #send({ bytes, after, isUncertain }: Sending): Promise<void> {
    const { address, model } = this.#options;
    const isKept = after === 'keep' && this.#kept !== undefined;
    const client = (isKept ? this.#kept : undefined) ?? (await RawClient.connect(address));
    client.send(bytes);
    if (after === 'leave') {
      client.close();
      this.#note(isUncertain ? 'not known' : 'broken off');
      return;
    }
    if (after === 'finish') client.endSending();
    const known = readRequests(bytes);
    const answers: RawAnswer[] = [];
    do {
      const answer = await client.next(known[answers.length]?.method);
      if (answer === undefined) break;
      answers.push(answer);
      this.#note(String(answer.status));
    } while (after === 'finish');
    assert.ok(answers.length > 0, 'there was no answer');
    for (const [at, answer] of answers.entries()) {
      checkForm(answer);
      const request = known[at];
      if (answer.status >= 300) continue;
      assert.ok(request !== undefined, `what is no request was answered with ${answer.status}`);
      model.accept(request, answer);
    }
    const isOver = after === 'finish' || answers.at(-1)?.headers.Connection === 'close';
    if (isOver) client.close();
    if (after === 'keep') this.#kept = isOver ? undefined : client;
  }

  #note(what: string): void {
    const { tally } = this.#options;
    tally.set(what, (tally.get(what) ?? 0) + 1);
  }
}

/** Whatever was asked, the answer is one of ours. */
function checkForm({ status, headers, body }: RawAnswer): void {
  assert.match(headers.Server ?? '', /^fleetd\//);
  assert.ok(status < 500, `${status} ${body}`);
  if (body === '') return;
  assert.equal(headers['Content-Type'], 'application/json');
  const { error } = JSON.parse(body) as { error?: { code: number } };
  assert.equal(error?.code, status < 400 ? undefined : status);
}

async function statusOf(address: string): Promise<number | undefined> {
  const client = await RawClient.connect(address);
  client.send('GET /fleet/v1/units HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const answer = await client.next();
  client.close();
  return answer?.status;
}

async function assertHolds(store: Store, model: AcceptedChanges): Promise<void> {
  const { kvs } = await store.range({ from: '!', to: '~' });
  const held = new Map<string, unknown>();
  for (const { key, value } of kvs) {
    const bytes = Buffer.from(value);
    if (!isUncertain(key) && !key.startsWith('dir-owners/'))
      held.set(key, key.startsWith('unit-files/') ? bytes.toString('hex') : decode(bytes));
  }
  const expected = model.expected();
  const known = new Set(expected.keys());
  // Files of units of which nobody knows whether they were made.
  for (const key of held.keys()) if (key.startsWith('unit-files/') && !known.has(key)) held.delete(key);
  const wrong = [...new Set([...expected.keys(), ...held.keys()])].filter(
    (key) => !agrees(held.get(key), expected.get(key)),
  );
  assert.deepEqual(
    wrong.map((key) => ({ key, held: held.get(key), expected: expected.get(key) })),
    [],
  );
}

function agrees(held: unknown, expected: unknown): boolean {
  const isOpen = Object.hasOwn(Object(expected), 'order') && Object(expected).order === undefined;
  return isDeepStrictEqual(isOpen ? { ...Object(held), order: undefined } : held, expected);
}

function decode(bytes: Buffer): unknown {
  const { uid: _, lastChange: __, ...record } = JSON.parse(bytes.toString()) as { uid?: number; lastChange?: object };
  return record;
}

function isUncertain(key: string): boolean {
  return key.includes('-left-');
}

interface Costs {
  readonly bytes: number;
  readonly files: number;
}

/** What the process costs, once connections are closed. */
function settledCosts(pid: number, before: Costs | undefined): Promise<Costs> {
  return waitUntil({
    what: 'connections are let go',
    read: async () => ({
      bytes: Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024,
      files: readdirSync(`/proc/${pid}/fd`).length,
    }),
    until: ({ files }) => before === undefined || files <= before.files,
  });
}
