import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadConfig } from './load-config.js';

const uid = process.getuid?.() ?? 0;
let directory = '';
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fleetd-user-'));
});
after(() => rm(directory, { recursive: true, force: true }));

interface Run {
  readonly environment?: Readonly<Record<string, string>>;
  readonly isUser?: boolean;
  readonly uid?: number;
  readonly name?: string;
}

/** What `fleetd --user` of a user whose home is the test's directory would run with. */
async function load({ environment = {}, isUser = true, ...account }: Run = {}) {
  const own = isUser ? { XDG_RUNTIME_DIR: directory } : {};
  return await loadConfig({
    // A machine's own file is none of a test's business.
    configFile: isUser ? undefined : '/dev/null',
    isUser,
    account: { uid, name: 'ann', home: directory, ...account },
    flags: { values: new Map(), warnings: [] },
    environment: { ...own, ...environment },
  });
}

test('everything of a user’s lies in the user’s directories, and in a cluster apart from root’s', async () => {
  const { config, notes } = await load();
  assert.equal(config.isUserManager, true);
  assert.equal(config.stateDirectory, join(directory, '.local/state/fleet'));
  assert.equal(config.unitsDirectory, join(directory, '.local/state/fleet/units'));
  assert.deepEqual(config.unitDirectories, [{ name: 'local', path: join(directory, '.config/fleet/units') }]);
  assert.equal(config.etcd.keyPrefix, '/_coreos.com/fleet-user/ann/');
  assert.match(notes[0]?.message ?? '', /No provided or default config file/);
});

test('the specification’s variables move them; relative paths count as unset', async () => {
  const { config } = await load({ environment: { XDG_STATE_HOME: '/x/state', XDG_CONFIG_HOME: 'relative' } });
  assert.equal(config.stateDirectory, '/x/state/fleet');
});

test('the user’s file is read, and wins over what a user has by default', async () => {
  const home = join(directory, 'config');
  await mkdir(join(home, 'fleet'), { recursive: true });
  await writeFile(join(home, 'fleet/fleet.conf'), 'etcd_key_prefix = /shared\nstate_directory = /scratch/ann\n');
  const { config, notes } = await load({ environment: { XDG_CONFIG_HOME: home, FLEET_AGENT_TTL: '7s' } });
  assert.equal(config.etcd.keyPrefix, '/shared/');
  assert.equal(config.agentTtlSeconds, 7);
  assert.equal(config.stateDirectory, '/scratch/ann');
  assert.equal(config.unitsDirectory, '/scratch/ann/units', 'units move with the state');
  assert.equal(notes[0]?.message, `Using default config file ${home}/fleet/fleet.conf`);
});

test('what is set to nothing is what a user has by default, not what root has', async () => {
  const nothing = {
    FLEET_STATE_DIRECTORY: '',
    FLEET_UNITS_DIRECTORY: '',
    FLEET_UNIT_DIRS: '',
    FLEET_ETCD_KEY_PREFIX: '',
    FLEET_SYSTEMD_USER: '',
  };
  assert.deepEqual((await load({ environment: nothing })).config, (await load()).config);
});

test('a name that can’t stand in a key is written so that it can', async () => {
  assert.equal(
    (await load({ name: 'EXAMPLE\\ann b' })).config.etcd.keyPrefix,
    '/_coreos.com/fleet-user/EXAMPLE%5Cann%20b/',
  );
});

test('without a session of the user’s own, one line says how to get one', async () => {
  const hint = /log in as ann .*loginctl enable-linger ann.*XDG_RUNTIME_DIR=\/run\/user\/1500/;
  const missing = load({ uid: 1500, environment: { XDG_RUNTIME_DIR: '' } });
  await assert.rejects(missing, { code: 'bad-config', message: '--user: XDG_RUNTIME_DIR is not set', hint });
  const gone = load({ uid: 1500, environment: { XDG_RUNTIME_DIR: '/nowhere/1500' } });
  await assert.rejects(gone, { message: '--user: there is no XDG_RUNTIME_DIR /nowhere/1500', hint });
  const foreign = load({ uid: 1500, environment: { XDG_RUNTIME_DIR: directory } });
  await assert.rejects(foreign, { message: `--user: XDG_RUNTIME_DIR ${directory} is not ann's own`, hint });
  const root = load({ uid: 0, environment: { XDG_RUNTIME_DIR: '' } });
  await assert.rejects(root, { hint: /root's own fleetd runs without --user/ });
});

test('an ordinary user without --user is told of it', async () => {
  await assert.rejects(load({ isUser: false, uid: 1500 }), {
    message: "fleetd drives the machine's systemd, which ann may not",
    hint: /fleetd --user/,
  });
  const { config } = await load({ isUser: false, uid: 0 });
  assert.equal(config.isUserManager, false);
  assert.equal(config.etcd.keyPrefix, '/_coreos.com/fleet/');
  // Neither the old option nor an engine alone needs root.
  for (const environment of [{ FLEET_SYSTEMD_USER: 'true' }, { FLEET_DISABLE_AGENT: 'true' }]) {
    const { config } = await load({ isUser: false, uid: 1500, environment });
    assert.equal(config.stateDirectory, '/var/lib/fleet');
  }
});
