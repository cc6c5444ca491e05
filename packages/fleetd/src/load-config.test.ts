import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createReload, loadConfig } from './load-config.js';

let home = '';
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'fleetd-load-'));
});
after(() => rm(home, { recursive: true, force: true }));

test('a default file need not be there, but does not vanish while fleetd runs', async () => {
  const sources = {
    configFile: undefined,
    isUser: true,
    account: { uid: process.getuid?.() ?? 0, name: 'ann', home },
    flags: { values: new Map(), warnings: [] },
    environment: { XDG_RUNTIME_DIR: home },
  };
  const loaded = await loadConfig(sources);
  const reload = createReload(sources, loaded);
  const ttl = async () => (await reload()).config.agentTtlSeconds;
  const file = join(home, '.config/fleet/fleet.conf');
  assert.deepEqual([loaded.hasFile, loaded.file, await ttl()], [false, file, 30]);
  await mkdir(join(home, '.config/fleet'), { recursive: true });
  await writeFile(file, 'agent_ttl = 7s\n');
  assert.equal(await ttl(), 7);
  await rm(file);
  await assert.rejects(reload, { code: 'bad-config', message: /^Unable to use config file .*fleet\.conf: ENOENT/ });
  await writeFile(file, '');
  assert.equal(await ttl(), 30);
});
