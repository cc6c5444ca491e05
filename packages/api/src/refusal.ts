import { METHODS, STATUS_CODES } from 'node:http';
import type { ApiRequest, ApiResponse, Refusal } from './request.js';

export const tooLarge: Refusal = { status: 413, message: 'request body is too large' };
export const tooMuchAtOnce: Refusal = { status: 503, message: 'too much is being sent at once: try again' };
export const noVersion: Refusal = { status: 400, message: 'malformed HTTP request: no version' };
export const noHost: Refusal = { status: 400, message: 'missing required Host header' };
export const strangeExpectation: Refusal = { status: 417, message: 'unknown expectation' };

/** What came to Node's parser, as it tells of it. */
export interface ParserError extends Error {
  readonly code?: string;
  /** Without "Parse Error". */
  readonly reason?: string;
  /** What it was reading. */
  readonly rawPacket?: Uint8Array;
  /** How much of that was good. */
  readonly bytesParsed?: number;
}

/** What Node's parser, or its patience, says of a request that it can't deliver; or that request, if only its method is unknown. */
export function refusalOf(error: ParserError): Refusal | Pick<ApiRequest, 'method' | 'url'> {
  switch (error.code) {
    case 'HPE_INVALID_METHOD':
      return findUnknownMethod(error) ?? malformed(error);
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, message: 'request line and headers are too large' };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { status: 413, message: 'chunk extensions are too large' };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, message: 'request took too long to arrive' };
    default:
      return malformed(error);
  }
}

function malformed({ reason, message }: ParserError): Refusal {
  return { status: 400, message: `malformed HTTP request: ${reason ?? message}` };
}

/** HTTP has any word for a method, Node's parser a list of them. */
function findUnknownMethod({
  rawPacket = new Uint8Array(),
  bytesParsed = 0,
}: ParserError): Pick<ApiRequest, 'method' | 'url'> | undefined {
  const packet = Buffer.from(rawPacket).toString('latin1');
  const text = packet.slice(packet.lastIndexOf('\n', bytesParsed - 1) + 1);
  const [, method, url] = /^([!#$%&'*+.^_`|~\w-]{1,64}) (\/[\x21-\x7e]*) HTTP\/1\.[01]\r?\n/.exec(text) ?? [];
  return method === undefined || url === undefined || METHODS.includes(method) ? undefined : { method, url };
}

/** An answer as it goes over the wire where Node has no response to write it to; the last one on its connection. */
export function formatLastAnswer({ status, headers, body }: ApiResponse): string {
  const lines = Object.entries({ ...headers, 'Content-Length': Buffer.byteLength(body), Connection: 'close' });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...lines.map(([name, value]) => `${name}: ${value}`),
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
