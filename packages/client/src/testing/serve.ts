import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Client, createClient } from '../client.js';
import type { Exchange } from '../transport.js';

/** A server on a unix socket and a client of it; both go away with the test. */
export interface Served {
  readonly client: Client;
  readonly server: Server;
  readonly exchanges: Exchange[];
}

type Handle = (request: IncomingMessage, response: ServerResponse) => unknown;

export async function serve(context: TestContext, handle: Handle, timeoutMs = 5000): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-client-'));
  const path = join(folder, 'fleet.sock');
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const exchanges: Exchange[] = [];
  const client = createClient({ endpoint: `unix://${path}`, timeoutMs, onExchange: (seen) => exchanges.push(seen) });
  context.after(async () => {
    client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });
  return { client, server, exchanges };
}

export function answer(response: ServerResponse, status: number, body?: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(body === undefined ? '' : JSON.stringify(body));
}

export async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return JSON.parse(text);
}
