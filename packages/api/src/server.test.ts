import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { silentLogger, sleep, systemClock, TestClock } from '@flotilla/runtime';
import type { Handle } from './api.js';
import { type ListenerOptions, serveApi } from './index.js';

interface Reply {
  readonly status: number | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends one request to a socket file, or to `host:port`. */
function send(address: string, { body, ...options }: Sent = {}): Promise<Reply> {
  const [host, port] = address.split(':');
  const where = address.startsWith('/') ? { socketPath: address } : { host, port };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ agent: false, ...where, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function directory(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'api-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

const echo: Handle = async ({ method, url, body, door, refusal }) => ({
  status: refusal?.status ?? 200,
  headers: { Server: 'fleetd/1' },
  body: `${door} ${method} ${url} ${Buffer.from(body).toString()}`,
});

async function serve(t: TestContext, listeners: readonly ListenerOptions[], options: object = {}) {
  const server = await serveApi({ handle: echo, listeners, clock: systemClock, log: silentLogger, ...options });
  t.after(() => server.close());
  const addresses = server.listening.map(({ address }) => address);
  return { addresses, listening: server.listening, close: () => server.close() };
}

const tcp: ListenerOptions = { kind: 'tcp', host: '127.0.0.1', port: 0 };

describe('listeners', () => {
  test('a socket file and TCP are served at once, each under its own rules', async (t) => {
    const path = join(await directory(t), 'fleet.sock');
    const { addresses } = await serve(t, [{ kind: 'unix', path }, tcp]);
    const [file = '', port = ''] = addresses;
    assert.equal(file, path);
    assert.equal((await send(file, { path: '/x' })).body, 'unix GET /x ');
    assert.equal((await send(port, { method: 'PUT', path: '/y?z', body: 'ü' })).body, 'tcp PUT /y?z ü');
  });

  test('a socket file has its mode and group, and is gone after the end', async (t) => {
    const path = join(await directory(t), 'fleet.sock');
    const gid = process.getgid?.() ?? 0;
    const server = await serve(t, [{ kind: 'unix', path, mode: 0o640, gid }]);
    const found = await stat(path);
    assert.deepEqual([found.mode & 0o777, found.gid], [0o640, gid]);
    await server.close();
    assert.equal(existsSync(path), false);
  });

  test('the default mode is for owner and group', async (t) => {
    const path = join(await directory(t), 'fleet.sock');
    await serve(t, [{ kind: 'unix', path }]);
    assert.equal((await stat(path)).mode & 0o777, 0o660);
  });

  test('a socket file that a killed process left is replaced', async (t) => {
    const path = join(await directory(t), 'fleet.sock');
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    await once(spawn(process.execPath, ['-e', script], { stdio: 'ignore' }), 'exit');
    assert.ok(existsSync(path));
    await serve(t, [{ kind: 'unix', path }]);
    assert.equal((await send(path)).status, 200);
  });

  test('a socket file that is served stays, and so does any other file', async (t) => {
    const path = join(await directory(t), 'fleet.sock');
    const options = { handle: echo, clock: systemClock, log: silentLogger };
    await serve(t, [{ kind: 'unix', path }]);
    await assert.rejects(serveApi({ ...options, listeners: [{ kind: 'unix', path }] }), { code: 'cannot-listen' });
    assert.equal((await send(path)).status, 200);
    const file = join(await directory(t), 'plain');
    await writeFile(file, 'x');
    await assert.rejects(serveApi({ ...options, listeners: [{ kind: 'unix', path: file }] }), /file of another kind/);
  });

  test('a path that no socket can have is said to be one', async (t) => {
    const options = { handle: echo, clock: systemClock, log: silentLogger };
    const root = await directory(t);
    for (const [path, said] of [
      [join(root, 'none', 'fleet.sock'), /there is no directory .+none$/],
      [join(root, 'x'.repeat(108)), /107 bytes at most/],
    ] as const)
      await assert.rejects(serveApi({ ...options, listeners: [{ kind: 'unix', path }] }), said);
    assert.deepEqual(await readdir(root), []);
  });

  test('if one can not be had, none is kept', async (t) => {
    const path = join(await directory(t), 'fleet.sock');
    const busy = createServer().listen(0, '127.0.0.1');
    await once(busy, 'listening');
    t.after(() => busy.close());
    const address = busy.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const listeners: ListenerOptions[] = [
      { kind: 'unix', path },
      { kind: 'tcp', host: '127.0.0.1', port },
    ];
    const options = { handle: echo, clock: systemClock, log: silentLogger };
    await assert.rejects(serveApi({ ...options, listeners }), /cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/);
    assert.equal(existsSync(path), false);
  });
});

describe('a socket that systemd passes', () => {
  const activate = '/usr/bin/systemd-socket-activate';
  const missing = existsSync(activate) ? false : `${activate} is not installed`;

  test('is served as what it is', { skip: missing }, async (t) => {
    const path = join(await directory(t), 'fleet.sock');
    const script = `
      import { serveApi } from ${JSON.stringify(new URL('./index.js', import.meta.url).href)};
      import { silentLogger, systemClock } from '@flotilla/runtime';
      const handle = async ({ door, headers }) => ({ status: 200, headers: {}, body: door + ' ' + headers.host });
      await serveApi({ handle, listeners: [{ kind: 'inherited', fd: 3 }], clock: systemClock, log: silentLogger });`;
    const cwd = fileURLToPath(new URL('.', import.meta.url));
    const args = ['-l', path, process.execPath, '--input-type=module', '-e', script];
    const child = spawn(activate, args, { cwd, stdio: 'ignore' });
    t.after(() => child.kill('SIGKILL'));
    while (!existsSync(path)) await sleep(systemClock, 10);
    const reply = await send(path, { headers: { Host: 'domain-sock' } });
    assert.equal(reply.body, 'unix domain-sock');
  });
});

describe('bodies', () => {
  test('that are too large are read to their end, refused, and not kept', async (t) => {
    const { addresses } = await serve(t, [tcp], { limits: { largestBody: 10 } });
    const [address = ''] = addresses;
    assert.equal((await send(address, { method: 'PUT', body: '0123456789' })).body, 'tcp PUT / 0123456789');
    const reply = await send(address, { method: 'PUT', body: 'x'.repeat(3_000_000) });
    assert.deepEqual([reply.status, reply.body, reply.headers.connection], [413, 'tcp PUT / ', 'close']);
  });

  test('that break off disturb nobody', async (t) => {
    const { addresses } = await serve(t, [tcp]);
    const [address = ''] = addresses;
    const socket = connect(Number(address.split(':')[1]), '127.0.0.1');
    socket.write('PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc', () => socket.destroy());
    await once(socket, 'close');
    assert.equal((await send(address)).status, 200);
  });

  test('of answers have their length, and an empty 201 says so', async (t) => {
    const created: Handle = async ({ method }) => ({ status: method === 'PUT' ? 201 : 204, headers: {}, body: '' });
    const { addresses } = await serve(t, [tcp], { handle: created });
    const [address = ''] = addresses;
    const put = await send(address, { method: 'PUT' });
    assert.deepEqual(
      [put.status, put.headers['content-length'], put.headers['transfer-encoding']],
      [201, '0', undefined],
    );
    const deleted = await send(address, { method: 'DELETE' });
    assert.deepEqual([deleted.status, deleted.headers['content-length']], [204, undefined]);
  });
});

describe('the end', () => {
  /** A handler that waits, and says when it was reached. */
  function stuck() {
    const events = new EventEmitter();
    const reached = once(events, 'reached');
    const released = once(events, 'released');
    const handle: Handle = async (request) => {
      events.emit('reached');
      await released;
      return echo(request);
    };
    return { handle, reached, release: () => events.emit('released') };
  }

  test('waits for requests that are under way, and takes no more', async (t) => {
    const { handle, reached, release } = stuck();
    const server = await serve(t, [tcp], { handle });
    const [address = ''] = server.addresses;
    const reply = send(address, { headers: { Connection: 'keep-alive' } });
    await reached;
    const closed = server.close();
    await assert.rejects(send(address), { code: 'ECONNREFUSED' });
    release();
    const { status, headers } = await reply;
    assert.deepEqual([status, headers.connection], [200, 'close']);
    await closed;
  });

  test('comes for those too that never end', async (t) => {
    const { handle, reached, release } = stuck();
    t.after(() => void release());
    const clock = new TestClock();
    const server = await serve(t, [tcp], { handle, clock, drainMs: 5_000 });
    const reply = assert.rejects(send(server.addresses[0] ?? ''), { code: 'ECONNRESET' });
    await reached;
    const closed = server.close();
    await clock.advance(5_000);
    await closed;
    await reply;
  });
});
