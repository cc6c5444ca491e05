import type { IncomingMessage } from 'node:http';

/**
 * The whole body of a request. One that is larger than `limit` is read to its end but not kept: who still sends doesn't
 * listen, and would lose the answer with the connection. How long that may take is the server's request timeout.
 */
export async function readBody(
  incoming: IncomingMessage,
  limit: number,
): Promise<{ readonly body: Uint8Array; readonly isTooLarge: boolean }> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= limit) chunks.push(chunk);
    else chunks.length = 0;
  }
  return { body: Buffer.concat(chunks), isTooLarge: length > limit };
}
