import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { silentLogger, systemClock } from '@flotilla/runtime';
import { TestApi } from './api-harness.js';
import { type ApiServer, serveApi } from './index.js';
import { describeV1Contract } from './v1.contract.js';
import { describeAway } from './v1-routes.contract.js';

describe('API v1 over a store in memory', () => {
  const api = new TestApi({ pageLimit: 3 });
  const directory = mkdtempSync(join(tmpdir(), 'api-v1-'));
  let server: ApiServer | undefined;
  before(async () => {
    const listeners = [
      { kind: 'unix', path: join(directory, 'fleet.sock') },
      { kind: 'tcp', host: '127.0.0.1', port: 0 },
    ] as const;
    server = await serveApi({ handle: api.handle, listeners, clock: systemClock, log: silentLogger });
  });
  after(async () => {
    await server?.close();
    rmSync(directory, { recursive: true });
  });
  const open = () => ({
    addresses: (server?.listening ?? []).map(({ address }) => address),
    store: api.store,
    server: 'fleetd/1.2.3',
  });
  describeV1Contract(open);
  describe('while its fleetd is not ready', () => {
    before(() => {
      api.isReady = false;
    });
    describeAway(open);
  });
});
