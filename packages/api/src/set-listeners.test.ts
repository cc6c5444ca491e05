import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentLogger, systemClock } from '@flotilla/runtime';
import { serveApi } from './index.js';

const unix = (path: string) => ({ kind: 'unix', path }) as const;

/** An API at one socket file, of a directory with more paths in it. */
async function serve(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'api-'));
  const [first, second, blocked] = [join(directory, '1'), join(directory, '2'), join(directory, '3')];
  await writeFile(blocked, '');
  const handle = async () => ({ status: 200, headers: {}, body: '' });
  const server = await serveApi({ handle, listeners: [unix(first)], clock: systemClock, log: silentLogger });
  t.after(async () => {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  });
  return { server, first, second, blocked };
}

/** @returns Whether the request went through a connection of an earlier one. */
function send(socketPath: string, agent?: Agent): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, agent: agent ?? false }, (response) => {
      response.resume().on('end', () => resolve(asked.reusedSocket));
    });
    asked.on('error', reject).end();
  });
}

test('what is served already goes on, connections and all, while another socket comes and goes', async (t) => {
  const { server, first, second } = await serve(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  await send(first, agent);
  await server.setListeners([unix(second), unix(first)]);
  assert.deepEqual(
    server.listening.map(({ address }) => address),
    [second, first],
  );
  assert.equal(await send(first, agent), true);
  await send(second);
  await server.setListeners([unix(first)]);
  assert.equal(existsSync(second), false);
  assert.equal(await send(first, agent), true);
});

test('if a socket can not be had, nothing changes', async (t) => {
  const { server, first, second, blocked } = await serve(t);
  await assert.rejects(server.setListeners([unix(second), unix(blocked)]), /file of another kind/);
  assert.equal(existsSync(second), false);
  assert.deepEqual(
    server.listening.map(({ address }) => address),
    [first],
  );
  await send(first);
});

test('a port goes from one address to another that holds it, and back if another socket can not be had', async (t) => {
  const { server, blocked } = await serve(t);
  const tcp = (host: string, port: number) => ({ kind: 'tcp', host, port }) as const;
  await server.setListeners([tcp('127.0.0.1', 0)]);
  const port = Number(server.listening[0]?.address.split(':').at(-1));
  const ask = () => fetch(`http://127.0.0.1:${port}/`).then(({ status }) => status);
  // Another name of the same address.
  await server.setListeners([tcp('127.1', port)]);
  assert.equal(await ask(), 200);
  await assert.rejects(server.setListeners([tcp('127.0.0.1', port), unix(blocked)]), /file of another kind/);
  assert.equal(server.listening.length, 1);
  assert.equal(await ask(), 200);
});
