import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sleep, systemClock } from '@flotilla/runtime';
import { type Bench, ended, openBench } from './testing/process.js';

const megabytes = 16 * 1024 * 1024;

/** A server on a socket in the bench's folder, which speaks to one client. */
async function serve(context: TestContext, { api }: Bench, talk: (socket: Socket) => void): Promise<string> {
  const path = join(api.folder, 'peer.sock');
  const server = createServer({ allowHalfOpen: true }, talk);
  server.listen(path);
  await once(server, 'listening');
  context.after(() => void server.close());
  return path;
}

function digest(bytes: readonly Uint8Array[]): string {
  const hash = createHash('sha1');
  for (const chunk of bytes) hash.update(chunk);
  return hash.digest('hex');
}

test('a request goes through, and its answer comes back, although stdin has ended before', async (context) => {
  const { api, spawn } = await openBench(context);
  api.add('web.service', '[Service]\nExecStart=/bin/a\n');
  const child = spawn(['fd-forward', api.endpoint.replace('unix://', '')]);
  const end = ended(child);
  child.stdin?.end('GET /fleet/v1/units/web.service HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  const { stdout, stderr, exitCode } = await end;
  assert.deepEqual([stderr, exitCode], ['', 0]);
  assert.match(stdout, /^HTTP\/1\.1 200 OK\r\n[\s\S]*"name":"web\.service"/);
});

test('bytes come through as they are, both ways, and many of them', async (context) => {
  const bench = await openBench(context);
  const there = randomBytes(megabytes);
  const back = randomBytes(megabytes);
  const seen: Buffer[] = [];
  const path = await serve(context, bench, (socket) => {
    socket.on('data', (chunk) => seen.push(chunk));
    socket.on('end', () => socket.end(back));
  });
  const child = bench.spawn(['fd-forward', path]);
  const answer: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => answer.push(chunk));
  child.stdin?.end(there);
  const [exitCode] = await once(child, 'close');
  assert.deepEqual([digest(seen), digest(answer), exitCode], [digest([there]), digest([back]), 0]);
});

test('who is slow to take is sent no more than fits between', async (context) => {
  const bench = await openBench(context);
  let given = 0;
  let taken = 0;
  let furthest = 0;
  const takeSlowly = async (socket: Socket) => {
    for await (const chunk of socket) {
      taken += chunk.length;
      furthest = Math.max(furthest, given - taken);
      await sleep(systemClock, 1);
    }
    socket.end();
  };
  const path = await serve(context, bench, (socket) => void takeSlowly(socket));
  const child = bench.spawn(['fd-forward', path]);
  const end = ended(child);
  const { stdin } = child;
  assert.ok(stdin);
  for (; given < megabytes; given += 65_536) if (!stdin.write(Buffer.alloc(65_536))) await once(stdin, 'drain');
  stdin.end();
  assert.equal((await end).exitCode, 0);
  assert.equal(taken, megabytes);
  assert.ok(furthest < megabytes / 8, `${furthest} bytes were on their way`);
});

test('it is over when the socket is, although stdin goes on', async (context) => {
  const bench = await openBench(context);
  const path = await serve(context, bench, (socket) => socket.end('bye'));
  const { stdout, stderr, exitCode } = await ended(bench.spawn(['fd-forward', path]));
  assert.deepEqual([stdout, stderr, exitCode], ['bye', '', 0]);
});

test('a connection that is cut is an error', async (context) => {
  const bench = await openBench(context);
  const path = await serve(context, bench, (socket) => socket.once('data', () => socket.destroy()));
  const child = bench.spawn(['fd-forward', path]);
  const end = ended(child);
  child.stdin?.on('error', () => undefined);
  child.stdin?.write(Buffer.alloc(megabytes));
  const { stderr, exitCode } = await end;
  assert.match(stderr, /^Encountered error during copy: /);
  assert.equal(exitCode, 1);
});

test('a reader that goes away ends it quietly', async (context) => {
  const bench = await openBench(context);
  const path = await serve(context, bench, (socket) => {
    socket.on('error', () => undefined);
    socket.write(Buffer.alloc(megabytes));
  });
  const child = bench.spawn(['fd-forward', path]);
  const end = ended(child);
  child.stdout?.once('data', () => child.stdout?.destroy());
  const { stderr, exitCode } = await end;
  assert.deepEqual([stderr, exitCode], ['', 141]);
});

const wrong = [
  [[], /^Provide a single argument\n$/],
  [['a', 'b'], /^Provide a single argument\n$/],
  [[''], /^Unable to use "" as unix address: it is empty\n$/],
  [['x'.repeat(108)], /^Unable to use "x+" as unix address: it has 108 bytes/],
  [['/nowhere.sock'], /^Failed dialing remote address: .*ENOENT \/nowhere\.sock\nIs fleetd running/],
] as const;
for (const [words, message] of wrong)
  test(`fd-forward ${words.join(' ').slice(0, 20)}: ${message.source.slice(1, 20)}`, async (context) => {
    const { fleetctl } = await openBench(context);
    const { stdout, stderr, exitCode } = await fleetctl('fd-forward', ...words);
    assert.match(stderr, message);
    assert.deepEqual([stdout, exitCode], ['', 1]);
  });
