import type { IncomingMessage } from 'node:http';

export interface ReadBodyOptions {
  readonly limit: number;
  /** Told of each piece that is kept, in bytes. */
  readonly onKept: (bytes: number) => void;
}

/**
 * The whole body of a request; `undefined` if it is larger than `limit`. Such a one is read to its end but not kept: who
 * still sends doesn't listen, and would lose the answer with the connection. How long that may take is the server's
 * request timeout.
 */
export async function readBody(
  incoming: IncomingMessage,
  { limit, onKept }: ReadBodyOptions,
): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) chunks.length = 0;
    else {
      chunks.push(chunk);
      onKept(chunk.length);
    }
  }
  return length > limit ? undefined : Buffer.concat(chunks);
}
