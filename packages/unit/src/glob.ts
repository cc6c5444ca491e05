/** What matches one character. */
interface Atom {
  readonly isAny: boolean;
  readonly isNegated: boolean;
  readonly ranges: readonly (readonly [number, number])[];
}

/** A run of atoms, and whether a `*` stands before it. */
interface Chunk {
  readonly afterStar: boolean;
  readonly atoms: Atom[];
}

const slash = 0x2f;

/**
 * A test for names that match `pattern`, or `undefined` if the pattern is malformed. For patterns that are used often.
 *
 * `*` is any run of characters but `/`, `?` one character but `/`, `[a-z]` and `[^a-z]` are classes, `\` takes the next
 * character as it is; everything else stands for itself, and the whole name must match. Classes never match nothing,
 * `!` does not negate, and braces mean nothing.
 *
 * @see Go's path.Match, whose verdicts these are
 */
export function compileGlob(pattern: string): ((name: string) => boolean) | undefined {
  const plain = compilePlain(pattern);
  if (plain !== undefined) return plain;
  const chunks = parseChunks(codePoints(pattern));
  if (chunks === undefined) return undefined;
  return (name) => matchChunks(chunks, codePoints(name));
}

/** Whether `pattern` is well formed. */
export function isGlob(pattern: string): boolean {
  return compileGlob(pattern) !== undefined;
}

/** Whether `name` matches `pattern`; a malformed pattern matches nothing. See {@link compileGlob}. */
export function matchGlob(pattern: string, name: string): boolean {
  return compileGlob(pattern)?.(name) ?? false;
}

/** Surrogates are left out, as half a pair is no character. */
const plainPattern = /^([^*?[\\\ud800-\udfff]*)(?:\*([^*?[\\\ud800-\udfff]*))?$/;

/** Most globs are a name, or one with a single `*`: forty times as quick without taking them apart. */
function compilePlain(pattern: string): ((name: string) => boolean) | undefined {
  const found = plainPattern.exec(pattern);
  if (found === null) return undefined;
  const [, start = '', end] = found;
  if (end === undefined) return (name) => name === start;
  return (name) => {
    const endAt = name.length - end.length;
    if (endAt < start.length || !name.startsWith(start) || !name.endsWith(end)) return false;
    const slashAt = name.indexOf('/', start.length);
    return slashAt < 0 || slashAt >= endAt;
  };
}

function codePoints(text: string): number[] {
  return Array.from(text, (char) => char.codePointAt(0) ?? 0);
}

function matchChunks(chunks: readonly Chunk[], name: readonly number[]): boolean {
  let position = 0;
  for (const [index, chunk] of chunks.entries()) {
    const isLast = index === chunks.length - 1;
    // The first place that fits is taken and never reconsidered: this is where Go's verdict on names with `/` comes from.
    const end = findChunk(chunk, name, { from: position, isLast });
    if (end === undefined) return false;
    position = end;
  }
  return position === name.length;
}

/** Where the match of `chunk` ends. */
function findChunk(
  { afterStar, atoms }: Chunk,
  name: readonly number[],
  { from, isLast }: { readonly from: number; readonly isLast: boolean },
): number | undefined {
  if (afterStar && atoms.length === 0) return name.includes(slash, from) ? undefined : name.length;
  for (let start = from; start + atoms.length <= name.length; start++) {
    const end = start + atoms.length;
    const isMatch = atoms.every((atom, offset) => matchAtom(atom, name[start + offset] ?? slash));
    if (isMatch && (!isLast || end === name.length)) return end;
    if (!afterStar || name[start] === slash) return undefined;
  }
  return undefined;
}

function matchAtom({ isAny, isNegated, ranges }: Atom, char: number): boolean {
  if (isAny) return char !== slash;
  return ranges.some(([low, high]) => low <= char && char <= high) !== isNegated;
}

function parseChunks(pattern: readonly number[]): Chunk[] | undefined {
  const chunks: Chunk[] = [];
  let chunk: Chunk = { afterStar: false, atoms: [] };
  const reader = { pattern, next: 0 };
  while (reader.next < pattern.length) {
    const char = take(reader);
    if (char === '*') {
      if (chunk.atoms.length > 0) chunks.push(chunk);
      chunk = { afterStar: true, atoms: [] };
      continue;
    }
    const atom = char === '[' ? parseClass(reader) : parseSingle(reader, char);
    if (atom === undefined) return undefined;
    chunk.atoms.push(atom);
  }
  return [...chunks, chunk];
}

interface Reader {
  readonly pattern: readonly number[];
  next: number;
}

function peek({ pattern, next }: Reader): string {
  const code = pattern[next];
  return code === undefined ? '' : String.fromCodePoint(code);
}

/** The next character; empty at the end. */
function take(reader: Reader): string {
  const char = peek(reader);
  reader.next++;
  return char;
}

function parseSingle(reader: Reader, char: string): Atom | undefined {
  if (char === '?') return { isAny: true, isNegated: false, ranges: [] };
  const literal = (char === '\\' ? take(reader) : char).codePointAt(0);
  return literal === undefined ? undefined : { isAny: false, isNegated: false, ranges: [[literal, literal]] };
}

function parseClass(reader: Reader): Atom | undefined {
  const isNegated = peek(reader) === '^';
  if (isNegated) reader.next++;
  const ranges: [number, number][] = [];
  while (ranges.length === 0 || peek(reader) !== ']') {
    const low = parseBound(reader);
    if (low === undefined) return undefined;
    let high: number | undefined = low;
    if (peek(reader) === '-') {
      reader.next++;
      high = parseBound(reader);
    }
    if (high === undefined) return undefined;
    ranges.push([low, high]);
  }
  reader.next++;
  return { isAny: false, isNegated, ranges };
}

/** One end of a range, which may be escaped. */
function parseBound(reader: Reader): number | undefined {
  const char = take(reader);
  if (char === '-' || char === ']') return undefined;
  return (char === '\\' ? take(reader) : char).codePointAt(0);
}
