import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { TestClock } from '@flotilla/runtime';
import { EtcdQuota, findQuota } from './etcd-quota.js';

const patienceMs = 500;

async function open(context: TestContext, answer: RequestListener) {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const clock = new TestClock();
  const quota = new EtcdQuota({ host: `http://127.0.0.1:${port}`, tls: () => undefined, clock, patienceMs });
  return { clock, quota, requests: () => requests };
}

const page =
  '# TYPE etcd_server_quota_backend_bytes gauge\netcd_server_quota_backend_bytes 8.388608e+06\nprocess_open_fds 3\n';

test('is read off the page, in whatever pieces it comes', async () => {
  for (let at = 0; at < page.length; at++) {
    const pieces = async function* () {
      yield page.slice(0, at);
      yield page.slice(at);
    };
    assert.equal(await findQuota(pieces()), 8_388_608, `in two pieces at ${at}`);
  }
});

test('is kept for a minute', async (context) => {
  const { clock, quota, requests } = await open(context, (_, response) => response.end(page));
  assert.equal(await quota.find(), 8_388_608);
  await clock.advance(59_999);
  assert.equal(await quota.find(), 8_388_608);
  assert.equal(requests(), 1);
  await clock.advance(1);
  await quota.find();
  assert.equal(requests(), 2);
});

test('is unknown where there is no such page', async (context) => {
  const { quota } = await open(context, (_, response) =>
    response.writeHead(404).end('etcd_server_quota_backend_bytes 1\n'),
  );
  assert.equal(await quota.find(), undefined);
});

test('is unknown where the page does not tell it', async (context) => {
  const { quota } = await open(context, (_, response) => response.end('etcd_server_version 1\n'));
  assert.equal(await quota.find(), undefined);
});

test('is unknown where nobody answers in time', async (context) => {
  const asked = new EventEmitter();
  const { clock, quota } = await open(context, () => asked.emit('request'));
  const isAsked = once(asked, 'request');
  const found = quota.find();
  await isAsked;
  await clock.advance(patienceMs);
  assert.equal(await found, undefined);
});

test('is unknown where nobody listens', async () => {
  const quota = new EtcdQuota({ host: 'http://127.0.0.1:1', tls: () => undefined, clock: new TestClock(), patienceMs });
  assert.equal(await quota.find(), undefined);
});
