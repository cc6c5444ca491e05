/** A request that a client's bytes hold, whole. */
export interface RawRequest {
  readonly method: string;
  readonly target: string;
  readonly body: Buffer;
}

/**
 * The whole requests at the beginning of a client's bytes: read anew here, so that what fleetd made of them can be
 * compared. What is no request, or not whole, ends the list.
 */
export function readRequests(bytes: Buffer): RawRequest[] {
  const requests: RawRequest[] = [];
  let rest = bytes;
  for (;;) {
    const read = readRequest(rest);
    if (read === undefined) return requests;
    requests.push(read.request);
    rest = read.rest;
  }
}

function readRequest(bytes: Buffer): { readonly request: RawRequest; readonly rest: Buffer } | undefined {
  const match = /^(?:\r?\n)*([^ \r\n]+) +([^ \r\n]+) +HTTP\/1\.[01]\r?\n((?:[^\n]+\n)*?)\r?\n/.exec(
    bytes.toString('latin1'),
  );
  if (match === null) return undefined;
  const [head, method = '', target = '', lines = ''] = match;
  const headers = lines.toLowerCase();
  const after = bytes.subarray(head.length);
  const body = /^transfer-encoding:/m.test(headers)
    ? readChunks(after)
    : readPlain(after, Number(/^content-length:[ \t]*(\d+)/m.exec(headers)?.[1] ?? 0));
  return body && { request: { method, target, body: body.content }, rest: body.rest };
}

interface ReadBody {
  readonly content: Buffer;
  readonly rest: Buffer;
}

function readPlain(bytes: Buffer, length: number): ReadBody | undefined {
  return bytes.length < length ? undefined : { content: bytes.subarray(0, length), rest: bytes.subarray(length) };
}

function readChunks(bytes: Buffer): ReadBody | undefined {
  const chunks: Buffer[] = [];
  let rest = bytes;
  for (;;) {
    const [line, hex = ''] = /^([0-9A-Fa-f]+)[^\n]*\n/.exec(rest.toString('latin1')) ?? [];
    if (line === undefined) return undefined;
    const size = Number.parseInt(hex, 16);
    const after = rest.subarray(line.length);
    if (size === 0) {
      const [trailers] = /^(?:[^\n]+\n)*?\r?\n/.exec(after.toString('latin1')) ?? [];
      if (trailers === undefined) return undefined;
      return { content: Buffer.concat(chunks), rest: after.subarray(trailers.length) };
    }
    if (after.length < size + 2) return undefined;
    chunks.push(after.subarray(0, size));
    rest = after.subarray(size + 2);
  }
}

/** The first JSON value of a text, found by trying each of its beginnings. */
export function readFirstJson(body: Buffer): unknown {
  const text = new TextDecoder().decode(body);
  const ends = [text.length, ...[...text.matchAll(/[}\]]|null/g)].map(({ index, 0: end }) => index + end.length)];
  for (const end of ends) {
    const part = tryJson(text.slice(0, end));
    if (part !== undefined) return part.value;
  }
  throw new Error(`no JSON: ${text}`);
}

function tryJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    // A SyntaxError: not this one.
    return undefined;
  }
}

/** The fields of a JSON object by lower-case name, those that are `null` left out. */
export function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  const fields = Object.entries(Object(value)).filter(([, content]) => content !== null);
  return new Map(fields.map(([name, content]) => [name.toLowerCase(), content]));
}
