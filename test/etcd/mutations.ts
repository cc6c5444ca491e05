import type { Chance } from '../chaos/chance.js';

/** Changes what stands in a request's first line. */
export function mutateTarget(chance: Chance, target: string): string {
  const at = chance.between(0, target.length);
  const insert = (text: string) => target.slice(0, at) + text + target.slice(at);
  switch (chance.below(8)) {
    case 0:
      return insert(chance.pick(['/', '//', '/./', '/../', '%2e%2e', '%2F', '%', '%zz', '%ff', '%00', '#', ';', '\\']));
    case 1:
      return `http://${chance.pick(['localhost', '127.0.0.1:80', 'evil.example', ''])}${target}`;
    case 2:
      return `${target}?${chance.pick(['alt=json', 'nextPageToken=%', 'a=b&a=c', '=', '?'])}`;
    case 3:
      return [...target].map((char) => (chance.oneIn(9) && /\w/.test(char) ? percent(char) : char)).join('');
    case 4:
      return target.toUpperCase();
    case 5:
      return `${target}/`;
    case 6:
      return insert(chance.pick([' ', '\t', 'ä', '\u0001', 'x'.repeat(17_000)]));
    default:
      return chance.pick(['*', '', '/', '/fleet/v1', 'localhost:80', '/healthz', '/readyz']);
  }
}

function percent(char: string): string {
  return `%${char.charCodeAt(0).toString(16)}`;
}

const oddHeaders = [
  'Host: evil.example',
  'Host: localhost',
  'Content-Type: application/json',
  'Content-Type: text/plain',
  'content-type: application/json; charset=utf-8',
  'Content-Length: 5',
  'Content-Length: -1',
  'Content-Length: 99999999999999999999',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip',
  'Expect: 100-continue',
  'Expect: miracles',
  'Connection: close',
  'Connection: upgrade',
  'Upgrade: websocket',
  'Origin: http://evil.example',
  'X: \u0001',
  'no colon',
  ': no name',
  ' folded',
  'X : blank',
  `X: ${'y'.repeat(20_000)}`,
  'Range: bytes=0-1',
  'Accept-Encoding: gzip',
];

/** Adds, doubles or drops header lines. */
export function mutateHeaders(chance: Chance, headers: readonly string[]): readonly string[] {
  const added = Array.from({ length: chance.between(1, 2) }, () => chance.pick(oddHeaders));
  const kept = headers.filter(() => !chance.oneIn(4));
  return chance.oneIn(2) ? [...kept, ...added] : [...added, ...kept];
}

const oddValues: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e300,
  '',
  'x',
  '\ud800',
  '\0',
  [],
  {},
  [null],
  [[[[]]]],
  { value: {} },
  'inactive',
  'x'.repeat(5_000),
];

/** Changes one place in a JSON value: replaces it, drops it, doubles it, or spells its name otherwise. */
export function mutateJson(chance: Chance, value: unknown): unknown {
  if (Array.isArray(value) && value.length > 0 && !chance.oneIn(4)) {
    const at = chance.below(value.length);
    const others = (changed: readonly unknown[]) => [...value.slice(0, at), ...changed, ...value.slice(at + 1)];
    return others(chance.oneIn(6) ? [] : chance.oneIn(6) ? [value[at], value[at]] : [mutateJson(chance, value[at])]);
  }
  if (typeof value === 'object' && value !== null && Object.keys(value).length > 0 && !chance.oneIn(5)) {
    const entries = Object.entries(value);
    const at = chance.below(entries.length);
    return Object.fromEntries(
      entries.flatMap(([key, each], index) => (index === at ? mutateEntry(chance, key, each) : [[key, each]])),
    );
  }
  return chance.pick(oddValues);
}

function mutateEntry(chance: Chance, key: string, value: unknown): [string, unknown][] {
  switch (chance.below(5)) {
    case 0:
      return [];
    case 1:
      return [[key.toUpperCase(), value]];
    case 2:
      return [
        [key, value],
        [chance.pick(['unknown', key.toUpperCase(), '__proto__', 'constructor', '']), chance.pick(oddValues)],
      ];
    default:
      return [[key, mutateJson(chance, value)]];
  }
}

/** JSON text, if it is to be odd with blanks, escapes, or more behind it. */
export function writeJson(chance: Chance, value: unknown, isOdd: boolean): string {
  const text = JSON.stringify(value, undefined, isOdd && chance.oneIn(5) ? 2 : 0);
  if (!isOdd) return text;
  switch (chance.below(12)) {
    case 0:
      return text + chance.pick([' x', '}', ']]', '\n{"name":"y"}', '\0']);
    case 1:
      return text.replace(/[a-z]/g, (char) => (chance.oneIn(5) ? `\\u00${char.charCodeAt(0).toString(16)}` : char));
    case 2:
      return chance.pick(['\ufeff', ' \n', '\u00a0', '\v']) + text;
    case 3:
      return text.slice(0, chance.below(text.length + 1));
    case 4:
      return '['.repeat(chance.between(1, 20_000)) + text;
    default:
      return text;
  }
}

/** Changes a few bytes somewhere. */
export function mutateBytes(chance: Chance, bytes: Buffer): Buffer {
  let changed = Buffer.from(bytes);
  for (let count = chance.between(1, 3); count > 0; count--) {
    const at = chance.below(changed.length + 1);
    const length = chance.between(1, 9);
    const [before, cut, after] = [
      changed.subarray(0, at),
      changed.subarray(at, at + length),
      changed.subarray(at + length),
    ];
    const noise = Buffer.from(Array.from({ length: chance.oneIn(2) ? 1 : length }, () => chance.below(256)));
    switch (chance.below(4)) {
      case 0:
        changed = Buffer.concat([before, noise, changed.subarray(at + noise.length)]);
        break;
      case 1:
        changed = Buffer.concat([before, after]);
        break;
      case 2:
        changed = Buffer.concat([before, cut, cut, after]);
        break;
      default:
        changed = Buffer.concat([before, noise, cut, after]);
    }
  }
  return changed;
}
