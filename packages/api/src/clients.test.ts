import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { silentLogger, sleep, systemClock } from '@flotilla/runtime';
import type { Handle } from './api.js';
import { TestApi } from './api-harness.js';
import { serveApi } from './index.js';
import type { ClientLimits } from './limits.js';
import { RawClient } from './raw-client.js';

/** Says what it was asked, or what is wrong with that. */
const echo: Handle = async ({ method, url, body, refusal }) => ({
  status: refusal?.status ?? 200,
  headers: {},
  body: refusal?.message ?? `${method} ${url} ${Buffer.from(body).toString()}`,
});

/** A server on TCP; who connects to it is gone after the test. */
async function serve(t: TestContext, handle: Handle = echo, limits: Partial<ClientLimits> = {}) {
  const listeners = [{ kind: 'tcp', host: '127.0.0.1', port: 0 }] as const;
  const server = await serveApi({ handle, listeners, clock: systemClock, log: silentLogger, limits, drainMs: 100 });
  t.after(() => server.close());
  const connect = async () => {
    const client = await RawClient.connect(server.listening[0]?.address ?? '');
    t.after(() => client.close());
    return client;
  };
  /** What a client that does nothing wrong is answered. */
  const ask = async (path = '/ask') => {
    const client = await connect();
    client.send(get(path));
    return (await client.next())?.body;
  };
  return { connect, ask };
}

const host = 'Host: localhost\r\n';
const get = (path: string) => `GET ${path} HTTP/1.1\r\n${host}\r\n`;
const put = (path: string, body: string, length = body.length) =>
  `PUT ${path} HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`;

describe('what is no request', () => {
  const units = '/fleet/v1/units';
  const line = `GET ${units} HTTP/1.1\r\n`;
  const rows: Readonly<Record<string, readonly [bytes: string, status: number, message: string | RegExp]>> = {
    'no HTTP at all': ['\0\x01\x02\r\n\r\n', 400, /^malformed HTTP request: /],
    'the beginning of TLS': ['\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', 400, /^malformed HTTP request: /],
    'the beginning of HTTP/2': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, /^malformed HTTP request: /],
    'a version that there is not': [`GET ${units} HTTP/9.9\r\n${host}\r\n`, 400, /^malformed HTTP request: /],
    'no version': [`DELETE ${units}/a.service\r\n${host}\r\n`, 400, 'malformed HTTP request: no version'],
    'a header that is none': [`${line}${host}no colon\r\n\r\n`, 400, /^malformed HTTP request: /],
    'no Host': [`${line}\r\n`, 400, 'missing required Host header'],
    'another door': [`${line}Host: evil.example\r\n\r\n`, 403, /is not this machine's/],
    'a negative length': [`${line}${host}Content-Length: -1\r\n\r\n`, 400, /^malformed HTTP request: /],
    'two lengths': [`${line}${host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`, 400, /^malformed /],
    'a chunk that is none': [`${line}${host}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400, /^malformed /],
    'headers without end': [`${line}${host}X: ${'x'.repeat(20_000)}`, 431, 'request line and headers are too large'],
    'an endless path': [`GET /${'x'.repeat(20_000)}`, 431, 'request line and headers are too large'],
    'an expectation': [`${line}${host}Expect: miracles\r\n\r\n`, 417, 'unknown expectation'],
    'a tunnel': [`CONNECT localhost:80 HTTP/1.1\r\n${host}\r\n`, 400, 'malformed URL'],
    'an unknown method': [`BREW ${units} HTTP/1.1\r\n${host}\r\n`, 405, 'only GET supported against this resource'],
    'the same where nothing is': [`BREW /coffee HTTP/1.1\r\n${host}\r\n`, 404, ''],
    'a method that none is': [`BR(W ${units} HTTP/1.1\r\n${host}\r\n`, 400, /^malformed HTTP request: /],
  };
  for (const [says, [bytes, status, message]] of Object.entries(rows))
    test(`is answered like any other: ${says}`, async (t) => {
      const { connect } = await serve(t, new TestApi().handle);
      const client = await connect();
      client.send(Buffer.from(bytes, 'latin1'));
      const answer = await client.next();
      assert.equal(answer?.status, status, answer?.body);
      assert.equal(answer.headers.Server, 'fleetd/1.2.3');
      assert.equal(answer.headers['Content-Type'], 'application/json');
      const { error } = JSON.parse(answer.body) as { error: { code: number; message: string } };
      assert.equal(error.code, status);
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
      if (status === 403) return;
      assert.equal(answer.headers.Connection, 'close');
      assert.equal(await client.untilOver(), '');
    });

  test('comes after the answers to what was one', async (t) => {
    const { connect } = await serve(t);
    const client = await connect();
    client.send(`${get('/a')}${put('/b', '12')}nonsense\r\n\r\n`);
    assert.equal((await client.next())?.body, 'GET /a ');
    assert.equal((await client.next())?.body, 'PUT /b 12');
    assert.equal((await client.next())?.status, 400);
    assert.equal(await client.untilOver(), '');
  });

  for (const [says, bytes] of Object.entries({ head: 'GET /a HT', body: put('/a', '12', 3) }))
    test(`is one that breaks off in its ${says}`, async (t) => {
      const { connect } = await serve(t);
      const client = await connect();
      client.send(bytes);
      client.endSending();
      assert.equal((await client.next())?.status, 400);
      assert.equal(await client.untilOver(), '');
    });
});

test('a batch may have 4 MiB, and not a byte more', async (t) => {
  const api = new TestApi();
  const { connect } = await serve(t, api.handle);
  const operations = JSON.stringify({ operations: [{ op: 'delete', name: 'a.service' }] });
  const send = async (length: number) => {
    const client = await connect();
    client.send(put('/fleet/v2/batch', operations.padStart(length)).replace('PUT', 'POST'));
    const { status, body = '', headers } = (await client.next()) ?? {};
    return [status, body, headers?.Connection];
  };
  const absent = '{"code":404,"message":"unit does not exist"}';
  const results = `{"results":[{"error":${absent},"name":"a.service","status":404}]}`;
  assert.deepEqual(await send(4 * 1024 * 1024), [200, results, 'keep-alive']);
  const tooLarge = '{"error":{"code":413,"message":"request body is too large"}}';
  assert.deepEqual(await send(4 * 1024 * 1024 + 1), [413, tooLarge, 'close']);
});

describe('a client', () => {
  test('that has nothing more to say gets its answers', async (t) => {
    const { connect } = await serve(t, async (request) => {
      await sleep(systemClock, 20);
      return echo(request);
    });
    const client = await connect();
    client.send(get('/a') + get('/b'));
    client.endSending();
    assert.equal((await client.next())?.body, 'GET /a ');
    assert.equal((await client.next())?.body, 'GET /b ');
    assert.equal(await client.untilOver(), '');
  });

  test('has what it asks for in one go done in that order', async (t) => {
    const api = new TestApi();
    const { connect } = await serve(t, api.handle);
    const client = await connect();
    const unit = '/fleet/v1/units/a.service';
    const content = JSON.stringify({ options: [{ section: 'Service', name: 'ExecStart', value: '/bin/true' }] });
    client.send(put(unit, content) + get(unit) + put(unit, '{"desiredState":"loaded"}'));
    client.send(`DELETE ${unit} HTTP/1.1\r\n${host}\r\n${get(unit)}`);
    const statuses: (number | undefined)[] = [];
    for (let count = 0; count < 5; count++) statuses.push((await client.next())?.status);
    assert.deepEqual(statuses, [201, 200, 204, 204, 404]);
  });

  test('that asks a thousand times in one go has one request under way at a time', async (t) => {
    let [underWay, most] = [0, 0];
    const { connect, ask } = await serve(t, async (request) => {
      if (request.url !== '/ask') most = Math.max(most, ++underWay);
      await sleep(systemClock, 0);
      if (request.url !== '/ask') underWay--;
      return echo(request);
    });
    const client = await connect();
    client.send(Array.from({ length: 1_000 }, (_, at) => get(`/${at}`)).join(''));
    assert.equal(await ask(), 'GET /ask ');
    for (let at = 0; at < 1_000; at++) assert.equal((await client.next())?.body, `GET /${at} `);
    assert.equal(most, 1);
  });

  for (const [says, last] of Object.entries({
    'asked for one answer only': `GET /a HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
    'is refused for how it asks': 'GET /a HTTP/1.1\r\n\r\n',
    'expects what there is not': `GET /a HTTP/1.1\r\n${host}Expect: miracles\r\n\r\n`,
    'speaks HTTP/1.0': 'GET /a HTTP/1.0\r\n\r\n',
  }))
    test(`that ${says} has nothing done that comes after that`, async (t) => {
      const asked: string[] = [];
      const { connect, ask } = await serve(t, (request) => {
        asked.push(request.url);
        return echo(request);
      });
      const client = await connect();
      client.send(last + put('/b', '12') + put('/c', '12'));
      assert.equal((await client.next())?.headers.Connection, 'close');
      assert.equal(await client.untilOver(), '');
      await ask('/after');
      assert.deepEqual(asked, ['/a', '/after']);
    });

  test('that goes away takes with it what has not begun', async (t) => {
    const events = new EventEmitter();
    const [begun, released] = [once(events, 'begun'), once(events, 'released')];
    const asked: string[] = [];
    const { connect, ask } = await serve(t, async (request) => {
      asked.push(request.url);
      events.emit('begun');
      if (request.url === '/a') await released;
      return echo(request);
    });
    const client = await connect();
    client.send(get('/a') + put('/b', '12'));
    await begun;
    client.reset();
    await ask('/after');
    events.emit('released');
    await ask('/later');
    assert.deepEqual(asked, ['/a', '/after', '/later']);
  });
});
