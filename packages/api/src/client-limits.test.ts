import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { silentLogger, sleep, systemClock } from '@flotilla/runtime';
import type { Handle } from './api.js';
import { HeldBytes } from './held-bytes.js';
import { serveApi } from './index.js';
import type { ClientLimits } from './limits.js';
import { RawClient } from './raw-client.js';

const largeAnswer = 'x'.repeat(16 * 1024 * 1024);

/** Says what it was asked, or what is wrong with that; `/large` is more than sockets take on their own. */
const echo: Handle = async ({ method, url, body, refusal }) => ({
  status: refusal?.status ?? 200,
  headers: {},
  body: refusal?.message ?? (url === '/large' ? largeAnswer : `${method} ${url} ${body.length}`),
});

async function serve(t: TestContext, limits: Partial<ClientLimits>) {
  const listeners = [{ kind: 'tcp', host: '127.0.0.1', port: 0 }] as const;
  const server = await serveApi({
    handle: echo,
    listeners,
    clock: systemClock,
    log: silentLogger,
    limits,
    drainMs: 100,
  });
  t.after(() => server.close());
  const connect = async () => {
    const client = await RawClient.connect(server.listening[0]?.address ?? '');
    t.after(() => client.close());
    return client;
  };
  const ask = async (client?: RawClient) => {
    const asking = client ?? (await connect());
    asking.send(get('/ask'));
    return (await asking.next())?.body;
  };
  return { connect, ask };
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const putHead = (length: number) => `PUT /p HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`;
const answered = 'GET /ask 0';

describe('connections', () => {
  test('of which one client holds a thousand leave room for others', async (t) => {
    const { connect, ask } = await serve(t, {});
    const held: RawClient[] = [];
    for (let count = 0; count < 1_000; count++) held.push(await connect());
    assert.equal(await ask(), answered);
    assert.deepEqual(
      held.filter(({ isOver }) => isOver),
      [],
    );
    assert.equal(await ask(held[0]), answered);
  });

  test('are closed where they have been idle for longest, when there are too many', async (t) => {
    const { connect, ask } = await serve(t, { mostConnections: 4 });
    const [first, second, third, fourth] = [await connect(), await connect(), await connect(), await connect()];
    assert.equal(await ask(first), answered);
    assert.equal(await ask(), answered);
    assert.equal(await second.untilOver(), '');
    for (const client of [third, fourth, first]) assert.equal(await ask(client), answered);
  });

  test('with a request under way are closed last', async (t) => {
    const { connect, ask } = await serve(t, { mostConnections: 3 });
    const busy = await connect();
    busy.pause();
    busy.send(get('/large'));
    // Its request has begun before this one has.
    assert.equal(await ask(), answered);
    const [one, other] = [await connect(), await connect()];
    assert.equal(await ask(), answered);
    assert.equal(await ask(), answered);
    assert.equal(await one.untilOver(), '');
    assert.equal(await other.untilOver(), '');
    busy.resume();
    assert.equal((await busy.next())?.body.length, largeAnswer.length);
  });
});

describe('what clients make the server keep', () => {
  test('is given up where it has been kept for longest: a body that does not come', async (t) => {
    const { connect, ask } = await serve(t, { mostHeldBytes: 1_000 });
    const [slow, other] = [await connect(), await connect()];
    slow.send(`${putHead(900)}${'x'.repeat(600)}`);
    assert.equal(await ask(), answered);
    other.send(`${putHead(900)}${'x'.repeat(600)}`);
    const refused = await slow.next();
    assert.deepEqual([refused?.status, refused?.headers.Connection], [503, 'close']);
    assert.match(refused?.body ?? '', /too much is being sent at once/);
    other.send('x'.repeat(300));
    assert.equal((await other.next())?.body, 'PUT /p 900');
  });

  test('is given up where it has been kept for longest: an answer that is not taken', async (t) => {
    const { connect, ask } = await serve(t, { mostHeldBytes: 1_000 });
    const [deaf, other] = [await connect(), await connect()];
    for (const client of [deaf, other]) {
      client.pause();
      client.send(get('/large'));
      assert.equal(await ask(), answered);
    }
    deaf.resume();
    assert.equal(await deaf.next(), undefined);
    assert.equal(await ask(), answered);
  });

  test('is counted, and never the newest that is given up for its own sake', () => {
    const dropped: string[] = [];
    const holder = (name: string) => ({ drop: () => void dropped.push(name) });
    const [a, b, c] = [holder('a'), holder('b'), holder('c')];
    const held = new HeldBytes(10);
    held.add(a, 20);
    assert.deepEqual([dropped, held.total], [[], 20]);
    held.release(a);
    held.add(a, 4);
    held.add(b, 4);
    held.add(a, 2);
    assert.deepEqual([dropped, held.total], [[], 10]);
    held.add(c, 5);
    assert.deepEqual([dropped, held.total], [['a'], 9]);
    held.release(a);
    held.release(b);
    held.release(c);
    assert.equal(held.total, 0);
  });
});

describe('a client that sends a byte now and then', () => {
  const hasty = { headersMs: 100, requestMs: 300, checkMs: 20 };
  for (const [what, start] of Object.entries({ head: 'GET /a HTTP/1.1\r\nX: ', body: putHead(1_000_000) }))
    test(`in its ${what} is told that it takes too long, and others are served meanwhile`, async (t) => {
      const { connect, ask } = await serve(t, hasty);
      const client = await connect();
      client.send(start);
      const answer = client.next();
      let isAnswered = false;
      void answer.then(() => {
        isAnswered = true;
      });
      while (!isAnswered) {
        client.send('x');
        assert.equal(await ask(), answered);
        await sleep(systemClock, 10);
      }
      assert.deepEqual([(await answer)?.status, (await answer)?.headers.Connection], [408, 'close']);
      assert.equal(await client.untilOver(), '');
    });
});
