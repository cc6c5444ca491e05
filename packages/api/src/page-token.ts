/** What a page token says. */
export interface PageToken {
  /** Counts from 1. Beyond 65,535 it stays there: only `after` says where the page is. */
  readonly page: number;
  /** The last key of the page before; absent in fleet's own tokens, which count entries. */
  readonly after: string | undefined;
}

export type ParsedPageToken =
  | { readonly kind: 'token'; readonly token: PageToken }
  /** `why` is a sentence for the client. */
  | { readonly kind: 'refused'; readonly why: string };

/** Where every list begins. */
const firstPage: PageToken = { page: 1, after: undefined };

/** Limit and page, each two bytes, little endian: all that there is to fleet's tokens. */
const headLength = 4;

const largestPage = 0xffff;

/** The token for the page after `page`, which ended with the key `after`. */
export function nextPageToken(
  limit: number,
  { page, after }: { readonly page: number; readonly after: string },
): string {
  const head = Buffer.alloc(headLength);
  head.writeUInt16LE(limit, 0);
  head.writeUInt16LE(Math.min(page + 1, largestPage), 2);
  const text = Buffer.concat([head, Buffer.from(after)]).toString('base64url');
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

/** Reads the query's `nextPageToken`s, of which there may be one. Texts of refusals are fleet's. */
export function parsePageToken(texts: readonly string[], limit: number): ParsedPageToken {
  const [text, ...more] = texts;
  if (text === undefined) return { kind: 'token', token: firstPage };
  if (more.length > 0) return refused('too many values for page token');
  const wrongAt = findIllegalByte(text);
  if (wrongAt !== undefined) return refused(`illegal base64 data at input byte ${wrongAt}`);
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length < headLength) return refused(bytes.length === 0 ? 'EOF' : 'unexpected EOF');
  if (bytes.readUInt16LE(0) !== limit) return refused(`token limit must be ${limit}`);
  const page = bytes.readUInt16LE(2);
  if (page === 0) return refused('token page must be greater than zero');
  const after = decodeKey(bytes.subarray(headLength));
  if (after === undefined) return refused('token key is not text');
  return { kind: 'token', token: { page, after: after === '' ? undefined : after } };
}

/** Where URL-safe base64 with padding stops being that, counted as Go's decoder counts. */
function findIllegalByte(text: string): number | undefined {
  const { length } = /^[\w-]*/.exec(text)?.[0] ?? '';
  const padding = text.slice(length);
  const inLastQuad = length % 4;
  if (padding === '') return inLastQuad === 0 ? undefined : text.length - inLastQuad;
  if (!padding.startsWith('=') || inLastQuad < 2) return length;
  if (inLastQuad === 3) return padding.length > 1 ? length + 1 : undefined;
  if (padding.length === 1) return text.length;
  if (padding[1] !== '=') return length;
  return padding.length > 2 ? length + 2 : undefined;
}

function decodeKey(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // A TypeError: these bytes are not UTF-8.
    return undefined;
  }
}

function refused(why: string): ParsedPageToken {
  return { kind: 'refused', why };
}
