import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FleetError } from '@flotilla/errors';
import { type Client, createClient } from './client.js';
import { ApiError, isTransient } from './errors.js';
import type { Exchange } from './transport.js';

interface Served {
  readonly client: Client;
  readonly server: Server;
  readonly exchanges: Exchange[];
}

type Handle = (request: IncomingMessage, response: ServerResponse) => unknown;

async function serve(context: TestContext, handle: Handle, timeoutMs = 5000): Promise<Served> {
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

function answer(response: ServerResponse, status: number, body?: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(body === undefined ? '' : JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return JSON.parse(text);
}

test('a list is walked page by page until no token is left', async (context) => {
  const pages: Record<string, object> = {
    '/fleet/v1/state?unitName=a%40b.service': { states: [{ name: 'first' }], nextPageToken: 'ZA+/=' },
    '/fleet/v1/state?unitName=a%40b.service&nextPageToken=ZA%2B%2F%3D': { states: [{ name: 'second' }] },
  };
  const { client } = await serve(context, (request, response) => answer(response, 200, pages[request.url ?? '']));
  const states = await client.listStates({ unitName: 'a@b.service' });
  assert.deepEqual(
    states.map(({ name }) => name),
    ['first', 'second'],
  );
});

test('an empty list is the empty object', async (context) => {
  const { client } = await serve(context, (_, response) => answer(response, 200, {}));
  assert.deepEqual(await client.listMachines(), []);
});

test('a token that never moves on is an error, not an endless walk', async (context) => {
  const { client } = await serve(context, (_, response) => answer(response, 200, { nextPageToken: 'same' }));
  await assert.rejects(client.listUnits(), { code: 'bad-answer' });
});

test('a unit is put with its JSON and its encoded name, and the status tells what happened', async (context) => {
  const bodies: unknown[] = [];
  const { client, exchanges } = await serve(context, async (request, response) => {
    bodies.push(await bodyOf(request));
    assert.equal(request.headers['content-type'], 'application/json');
    answer(response, bodies.length === 1 ? 201 : 204);
  });
  const name = 'a\\x2db@1.service';
  assert.equal(await client.putUnit(name, { desiredState: 'launched', file: 'ä\n' }), 'created');
  assert.equal(await client.putUnit(name, { desiredState: 'loaded' }), 'updated');
  assert.deepEqual(bodies, [{ desiredState: 'launched', file: 'ä\n' }, { desiredState: 'loaded' }]);
  assert.equal(exchanges[0]?.path, '/fleet/v1/units/a%5Cx2db%401.service');
});

test('a missing unit is a result; every other refusal is an ApiError with the words of the API', async (context) => {
  const { client } = await serve(context, (request, response) => {
    if (request.method === 'PUT') answer(response, 400, { error: { code: 400, message: 'cannot activate template' } });
    else if (request.url?.endsWith('broken.service')) answer(response, 500, { error: { code: 500, message: '' } });
    else answer(response, 404, { error: { code: 404, message: 'unit does not exist' } });
  });
  assert.equal(await client.findUnit('absent.service'), undefined);
  assert.equal(await client.deleteUnit('absent.service'), 'absent');
  await assert.rejects(client.putUnit('t@.service', {}), (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.status, 400);
    assert.equal(error.message, 'cannot activate template');
    return !isTransient(error);
  });
  await assert.rejects(client.findUnit('broken.service'), (error) => {
    assert.ok(error instanceof ApiError);
    assert.match(error.message, /answered 500/);
    return isTransient(error);
  });
});

test('a request without an answer ends at its deadline', async (context) => {
  const { client } = await serve(context, () => undefined, 50);
  await assert.rejects(client.listUnits(), (error) => {
    assert.ok(error instanceof FleetError);
    assert.equal(error.code, 'request-timeout');
    assert.match(error.message, /within 0.05 s/);
    return isTransient(error);
  });
});

test('a socket that is not there is named, with the cause and what to do', async () => {
  const client = createClient({ endpoint: 'unix:///nowhere/fleet.sock' });
  await assert.rejects(client.listUnits(), (error) => {
    assert.ok(error instanceof FleetError);
    assert.equal(error.message, 'cannot reach fleetd at unix:///nowhere/fleet.sock: no such file');
    assert.match(error.hint ?? '', /--endpoint/);
    return error.code === 'connection-failed';
  });
});

test('a kept connection that the server has cut is replaced without a word', async (context) => {
  let count = 0;
  const { client } = await serve(context, (request, response) => {
    count++;
    if (count === 2) request.socket.destroy();
    else answer(response, 200, {});
  });
  await client.listUnits();
  await client.listUnits();
  assert.equal(count, 3);
});

test('an answer that is not of the API is not taken for one', async (context) => {
  const { client } = await serve(context, (_, response) => response.end('<html>'));
  await assert.rejects(client.listUnits(), { code: 'bad-answer' });
});
