import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiError, createClient } from '@flotilla/client';
import { FleetError } from '@flotilla/errors';
import { systemClock } from '@flotilla/runtime';
import { endpointOf, fleetctl, type Lab, type TestHost } from '../lab/index.js';
import type { Asked } from './explain.js';
import { ClientModel, describeWish, type Outcome } from './model.js';
import { clients, type Operation } from './plan.js';
import { unitText } from './units.js';

/** Shorter than most freezes: then a client goes on, and what it asked for may be done later. */
const patienceMs = 4_000;

/** Some clients that each go through their operations one after the other, and know what came of them. */
export class Clients {
  readonly model = new ClientModel();
  readonly asked: Asked[] = [];
  /** Operations by what came of them. */
  readonly counts = new Map<string, number>();
  /** Answers that can't be. */
  readonly contradictions: string[] = [];
  readonly #lab: Lab;
  readonly #note: string;
  readonly #say: (line: string) => void;
  readonly #busy: Promise<void>[] = Array.from({ length: clients }, () => Promise.resolve());

  constructor(lab: Lab, { note, say }: { readonly note: string; readonly say: (line: string) => void }) {
    this.#lab = lab;
    this.#note = note;
    this.#say = say;
  }

  /** Has an operation carried out by its client, after what that has to do before. */
  ask(operation: Operation): void {
    const { client } = operation;
    this.#busy[client] = (this.#busy[client] ?? Promise.resolve()).then(() => this.#carryOut(operation));
  }

  async untilIdle(): Promise<void> {
    await Promise.all(this.#busy);
  }

  async #carryOut(operation: Operation): Promise<void> {
    const { host: name, unit, wish, via } = operation;
    const host = this.#lab.hosts.find((each) => each.name === name);
    if (host === undefined) return;
    this.asked.push({ unit, atMs: systemClock.now(), isRestart: wish.verb === 'restart' });
    const { outcome, says } = await (via === 'api' ? this.#askApi(host, operation) : this.#askCommand(host, operation));
    this.#say(`${via === 'api' ? 'api  ' : 'ctl  '} ${unit} ${describeWish(wish)} by ${name}: ${outcome}${says}`);
    this.counts.set(outcome, (this.counts.get(outcome) ?? 0) + 1);
    const contradiction = this.model.note(unit, wish, outcome);
    if (contradiction !== undefined) this.contradictions.push(contradiction);
  }

  async #askApi(host: TestHost, { unit, wish }: Operation): Promise<Answer> {
    // A client of its own each time: a connection that is kept is one that a request is repeated on.
    const client = createClient({ endpoint: endpointOf(host), timeoutMs: patienceMs });
    const file = wish.verb === 'put' ? { file: unitText(unit, wish.version, this.#note) } : {};
    const operation =
      wish.verb === 'put' || wish.verb === 'ask'
        ? ({ op: 'put', unit: { name: unit, desiredState: wish.state, ...file } } as const)
        : ({ op: 'delete', name: unit } as const);
    try {
      if (wish.verb === 'restart') {
        await client.restartUnit(unit);
        return { outcome: 'done', says: '' };
      }
      const outcome = (await client.batch([operation])).get(unit);
      if (outcome?.kind === 'refused') return judgeRefusal(outcome.error);
      return { outcome: outcome?.kind === 'absent' ? 'missing' : 'done', says: '' };
    } catch (error) {
      return judgeRefusal(error);
    } finally {
      client.close();
    }
  }

  /** `fleetctl` says only whether all went well. */
  async #askCommand(host: TestHost, { unit, wish }: Operation): Promise<Answer> {
    const global = [`--request-timeout=${patienceMs}ms`];
    const args =
      wish.verb === 'run'
        ? ['start', '--no-block', '--replace', await this.#writeFile(unit, unitText(unit, wish.version, this.#note))]
        : ['destroy', '--no-block', unit];
    try {
      const { code, stderr } = await fleetctl(host, [...global, ...args], { timeoutMs: 2 * patienceMs });
      return code === 0 ? { outcome: 'done', says: '' } : { outcome: 'uncertain', says: ` (${firstLine(stderr)})` };
    } catch (error) {
      return { outcome: 'uncertain', says: ` (${firstLine(String(error))})` };
    }
  }

  async #writeFile(unit: string, text: string): Promise<string> {
    const path = join(this.#lab.shared, unit);
    await writeFile(path, text);
    return path;
  }
}

interface Answer {
  readonly outcome: Outcome;
  /** More, for the log. */
  readonly says: string;
}

function judgeRefusal(error: unknown): Answer {
  const says = ` (${error instanceof Error ? firstLine(error.message) : String(error)})`;
  return { outcome: outcomeOf(error), says };
}

function outcomeOf(error: unknown): Outcome {
  // 503: etcd is away, and nothing was written. What else the daemon could not do may have been done.
  if (error instanceof ApiError)
    return error.status === 503 ? 'not-done' : error.status >= 500 ? 'uncertain' : 'missing';
  if (!(error instanceof FleetError)) throw error;
  const cause: unknown = error.cause;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  return code === 'ECONNREFUSED' || code === 'ENOENT' ? 'not-done' : 'uncertain';
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}
