import type { Chance } from '../chaos/chance.js';
import { mutateBytes, mutateHeaders, mutateJson, mutateTarget, writeJson } from './mutations.js';

/** What a client does on its connection. */
export interface Sending {
  readonly bytes: Buffer;
  /**
   * `keep`: it is a request as it should be, and the next one may come on the same connection. `finish`: it says that
   * nothing more will come, and reads all answers. `leave`: it goes away at once.
   */
  readonly after: 'keep' | 'finish' | 'leave';
  /** Nobody knows whether it was carried out. */
  readonly isUncertain: boolean;
}

export interface Shape {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  /** JSON, if there is a body. */
  readonly body?: unknown;
}

const states = ['inactive', 'loaded', 'launched'];
const values = ['/bin/true', '/bin/sleep 1', '', 'ä☃', '"a=b"', '  x', '%i-%n', 'a\\', '#x', '[y]'];
const demands: readonly (readonly [string, string])[] = [
  ['Global', 'true'],
  ['Global', 'false'],
  ['MachineMetadata', 'role=db'],
  ['MachineMetadata', 'a=b c=d'],
  ['Conflicts', 'x*.service'],
  ['MachineOf', 'x.service'],
  ['MachineID', 'abc'],
  ['Unknown', '1'],
];

/** Requests of one client, by its own names: good ones, some of them changed until few of them are good. */
export class RandomRequests {
  readonly #chance: Chance;
  readonly #namespace: string;

  constructor(chance: Chance, namespace: string) {
    this.#chance = chance;
    this.#namespace = namespace;
  }

  next(): Sending {
    const chance = this.#chance;
    if (chance.oneIn(40)) return this.#uncertain();
    const shape = this.#shape();
    if (chance.oneIn(2)) return { bytes: this.#write(shape), after: 'keep', isUncertain: false };
    if (chance.oneIn(8)) {
      const bytes = this.#write(shape);
      const after = chance.oneIn(2) ? 'leave' : 'finish';
      return { bytes: bytes.subarray(0, chance.between(1, bytes.length - 1)), after, isUncertain: false };
    }
    const parts = Array.from({ length: chance.oneIn(4) ? chance.between(2, 4) : 1 }, () =>
      this.#mutated(this.#shape()),
    );
    const bytes = Buffer.concat(parts);
    return { bytes: chance.oneIn(4) ? mutateBytes(chance, bytes) : bytes, after: 'finish', isUncertain: false };
  }

  /** Of names that nothing else asks for. */
  #uncertain(): Sending {
    const target = `/fleet/v1/units/${this.#namespace}-left-${this.#chance.below(5)}.service`;
    const bytes = this.#write({ ...this.#put(target), headers: jsonHeaders });
    return { bytes, after: 'leave', isUncertain: true };
  }

  #mutated(shape: Shape): Buffer {
    const chance = this.#chance;
    const changed = {
      ...shape,
      ...(chance.oneIn(4) ? { target: mutateTarget(chance, shape.target) } : {}),
      ...(chance.oneIn(6)
        ? { method: chance.pick(['GET', 'PUT', 'DELETE', 'PATCH', 'POST', 'HEAD', 'put', 'BREW', 'CONNECT']) }
        : {}),
      ...(chance.oneIn(4) ? { headers: mutateHeaders(chance, shape.headers) } : {}),
      ...(shape.body !== undefined && chance.oneIn(2) ? { body: mutateJson(chance, shape.body) } : {}),
    };
    return this.#write(changed, true);
  }

  #write({ method, target, headers, body }: Shape, isOdd = false): Buffer {
    const chance = this.#chance;
    const text = body === undefined ? '' : writeJson(chance, body, isOdd);
    const bytes = Buffer.from(text);
    const isChunked = isOdd && chance.oneIn(5);
    const length = isOdd && chance.oneIn(30) ? bytes.length + chance.between(-3, 3) : bytes.length;
    const framing = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`;
    const lines = [`${method} ${target} HTTP/1.1`, ...headers, ...(body === undefined && !isChunked ? [] : [framing])];
    const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
    return Buffer.concat([head, ...(isChunked ? chunked(chance, bytes) : [bytes])]);
  }

  #shape(): Shape {
    const chance = this.#chance;
    const prefix = chance.pick(['/fleet/v1', '/v1-alpha']);
    const unit = `${prefix}/units/${encodeURIComponent(this.#name())}`;
    const headers = ['Host: localhost'];
    switch (chance.below(13)) {
      case 0:
        return {
          method: 'GET',
          target: `${prefix}/${chance.pick(['units', 'state', 'machines', 'discovery'])}`,
          headers,
        };
      case 1:
        return { method: 'GET', target: chance.oneIn(2) ? unit : unit.replace('units', 'state'), headers };
      case 2:
        return {
          method: 'GET',
          target: `${prefix}/units?nextPageToken=${chance.pick(['ZAACAA%3D%3D', 'ZAABAA==', 'x', '', 'ZAABAGE='])}`,
          headers,
        };
      case 3:
        return { method: 'GET', target: `${prefix}/state?unitName=${this.#name()}&machineID=m`, headers };
      case 4:
      case 5:
        return { method: 'DELETE', target: unit, headers };
      case 6:
      case 7:
        return { method: 'PATCH', target: `${prefix}/machines`, headers, body: this.#patch() };
      case 8:
        return { method: 'POST', target: '/fleet/v2/batch', headers: jsonHeaders, body: this.#batch() };
      case 9:
        return { method: 'POST', target: this.#adoptPath(), headers: jsonHeaders, body: this.#owner() };
      default:
        return this.#put(unit);
    }
  }

  #adoptPath(): string {
    return `/fleet/v2/units/${encodeURIComponent(this.#name())}/adopt`;
  }

  /** Nobody else has units for the owner of these names. */
  #owner(): { readonly owner?: string } {
    const chance = this.#chance;
    if (chance.oneIn(2)) return {};
    return { owner: chance.oneIn(12) ? chance.pick(['', 'a/b', '.a', 'x'.repeat(64)]) : this.#namespace };
  }

  #name(): string {
    const [chance, own] = [this.#chance, this.#namespace];
    const type = chance.oneIn(8) ? chance.pick(['timer', 'socket', 'mount', 'socks']) : 'service';
    return `${own}${chance.pick(['', '-x', '@', '@1', '@a:b'])}${chance.oneIn(2) ? '' : chance.below(9)}.${type}`;
  }

  #put(target: string): Shape {
    const chance = this.#chance;
    const content = chance.oneIn(3) ? {} : chance.oneIn(3) ? { file: this.#file() } : { options: this.#options() };
    const desired = chance.oneIn(2) ? {} : { desiredState: chance.oneIn(12) ? 'running' : chance.pick(states) };
    return { method: 'PUT', target, headers: jsonHeaders, body: { ...content, ...desired } };
  }

  #options(): readonly object[] {
    const chance = this.#chance;
    const lines = Array.from({ length: chance.between(1, 4) }, () => ({
      section: chance.pick(['Service', 'Unit', 'Service', 'Install']),
      name: chance.pick(['ExecStart', 'Environment', 'Description']),
      value: chance.oneIn(30) ? chance.pick(['x'.repeat(3_000), 'a\nb']) : chance.pick(values),
    }));
    if (!chance.oneIn(4)) return lines;
    return [
      ...lines,
      ...chance.some(demands, chance.between(1, 2)).map(([name, value]) => ({ section: 'X-Fleet', name, value })),
    ];
  }

  #file(): string {
    const chance = this.#chance;
    const lines = [
      '[Service]',
      ...Array.from({ length: chance.between(0, 3) }, () => `ExecStart=${chance.pick(values)}`),
    ];
    const odd = chance.oneIn(6)
      ? [chance.pick(['nonsense', '[X-Fleet]\nGlobal=true', '[', '# ☃', '\ufeff', '=b'])]
      : [];
    return [...lines, ...odd].join(chance.oneIn(4) ? '\r\n' : '\n') + chance.pick(['\n', '', '\n\n']);
  }

  #patch(): readonly object[] {
    const chance = this.#chance;
    return Array.from({ length: chance.below(4) }, () => {
      const value = chance.pick(['db', 'ä', 'x'.repeat(20), ...(chance.oneIn(9) ? [''] : [])]);
      return {
        op: chance.pick(['add', 'replace', 'remove', ...(chance.oneIn(9) ? ['test'] : [])]),
        path: `/${this.#namespace}${chance.below(3)}/metadata/${chance.pick(['role', 'az', 'a.b-c_d'])}`,
        ...(chance.oneIn(5) ? {} : { value: chance.oneIn(2) ? value : { value } }),
      };
    });
  }

  #batch(): object {
    const chance = this.#chance;
    const operations = Array.from({ length: chance.between(1, 5) }, () => {
      const name = this.#name();
      return chance.oneIn(3) ? { op: 'delete', name } : { op: 'put', unit: { name, ...Object(this.#put('').body) } };
    });
    return { operations, ...this.#owner() };
  }
}

const jsonHeaders = ['Host: localhost', 'Content-Type: application/json'];

function chunked(chance: Chance, bytes: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const chunk = bytes.subarray(at, at + chance.between(1, 60));
    const extension = chance.oneIn(20) ? ';a=b' : '';
    chunks.push(Buffer.from(`${chunk.length.toString(16)}${extension}\r\n`), chunk, Buffer.from('\r\n'));
    at += chunk.length;
  }
  return [...chunks, Buffer.from(chance.oneIn(20) ? '0\r\nX-After: y\r\n\r\n' : '0\r\n\r\n')];
}
