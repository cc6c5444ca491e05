import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { prefixRange, type Store } from '@flotilla/registry';
import { createEtcdStore } from '@flotilla/registry-etcd';
import { silentLogger, systemClock } from '@flotilla/runtime';
import { waitUntil } from '../lab/index.js';
import { etcdMissing, TestEtcd } from './etcd.js';
import { FleetdProcess } from './fleetd-process.js';
import { freePorts } from './free-ports.js';

const prefix = '/directories/';

describe('a fleetd that watches directories', { skip: etcdMissing() ?? false }, () => {
  let directory: string;
  let etcd: TestEtcd;
  let store: Store;
  let url: string;
  let fleetd: FleetdProcess;
  const started: FleetdProcess[] = [];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'flotilla-directories-'));
    for (const name of ['state', 'local', 'other']) await mkdir(join(directory, name));
    etcd = await TestEtcd.start();
    const told = { clock: systemClock, log: silentLogger };
    store = createEtcdStore({ hosts: [etcd.url], prefix, requestTimeoutMs: 1_000, ...told });
    const [port = 0] = await freePorts(1);
    url = `http://127.0.0.1:${port}`;
    start(dirs('local'));
  });

  after(async () => {
    for (const each of started) await each.remove();
    await store?.close();
    await etcd?.remove();
    await rm(directory, { recursive: true });
  });

  const dirs = (...names: readonly string[]) => names.map((name) => `${name}:${join(directory, name)}`).join();
  const configuration = (unitDirs: string) =>
    [
      `state_directory = ${join(directory, 'state')}`,
      ...[`etcd_servers = ${etcd.url}`, `etcd_key_prefix = ${prefix}`, `listen = ${url}`],
      ...[`unit_dirs = ${unitDirs}`, 'disable_engine = true', ''],
    ].join('\n');
  const start = (unitDirs: string) => {
    fleetd = new FleetdProcess({ disable_agent: 'false', systemd_user: 'true' }, configuration(unitDirs));
    started.push(fleetd);
  };
  const reload = (unitDirs: string) => {
    fleetd.configure(configuration(unitDirs));
    fleetd.signal('SIGHUP');
  };
  const drop = (path: string) => writeFile(join(directory, path), '[Service]\nExecStart=/bin/sleep 1\n');

  /** Units and claims by key, with the revisions that they were written at. */
  const records = async () => {
    const ranges = await Promise.all(['units/', 'dirs/'].map((of) => store.range(prefixRange(of))));
    const all = ranges.flatMap(({ kvs }) => kvs);
    return new Map(all.map(({ key, value, modRevision }) => [key, { modRevision, text: String(value) }]));
  };
  /** Names of all units with whose they are and what is desired. */
  const units = async () =>
    [...(await records())].flatMap(([key, { text }]) => {
      if (!key.startsWith('units/')) return [];
      const { owner, desiredState } = JSON.parse(text) as { readonly owner?: string; readonly desiredState: string };
      return [`${key.slice('units/'.length)} ${owner} ${desiredState}`];
    });
  const untilUnits = (...expected: readonly string[]) =>
    waitUntil({
      what: 'files have become units',
      read: units,
      until: (seen) => seen.join() === expected.join(),
      onTimeout: async () => fleetd.lines.join('\n'),
    });
  /** Codes and messages of what fleetd has operators see to. */
  const alarms = async () => {
    const answer = await (await fetch(`${url}/readyz`)).json();
    const { alarms = [] } = answer as {
      readonly alarms?: readonly { readonly code: string; readonly message: string }[];
    };
    return alarms.map(({ code, message }) => `${code}: ${message}`);
  };

  it('makes a unit of a file, which is the directory’s own', async () => {
    await drop('local/one.service');
    await untilUnits('one.service local launched');
  });

  it('watches what the configuration names from its next reading on', async () => {
    await drop('other/two.service');
    reload(dirs('local', 'other'));
    await untilUnits('one.service local launched', 'two.service other launched');
  });

  it('removes nothing for a directory that is no longer named, and says so', async () => {
    reload(dirs('other'));
    await waitUntil({
      what: 'removals are an alarm',
      read: alarms,
      until: ([first = '']) =>
        /^directory-held: the directory local holds back .*fleetctl dirs confirm local$/.test(first),
      onTimeout: async () => fleetd.lines.join('\n'),
    });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.match(metrics, /^fleet_directory_held\{directory="local"\} 1$/m);
    assert.match(metrics, /^fleet_directory_units\{directory="other"\} 1$/m);
    assert.deepEqual(await units(), ['one.service local launched', 'two.service other launched']);
    reload(dirs('local', 'other'));
    await waitUntil({ what: 'there is nothing to see to', read: alarms, until: (seen) => seen.length === 0 });
  });

  it('changes nothing when it is killed and started again', async () => {
    const before = await records();
    fleetd.signal('SIGKILL');
    await fleetd.untilExit();
    start(dirs('local', 'other'));
    // What it finds changed is written at once, with what is new.
    for (const name of ['local', 'other']) await drop(`${name}/new-in-${name}.service`);
    await untilUnits(
      ...['new-in-local.service local launched', 'new-in-other.service other launched'],
      ...['one.service local launched', 'two.service other launched'],
    );
    const after = await records();
    assert.deepEqual(new Map([...after].filter(([key]) => before.has(key))), before);
    fleetd.signal('SIGUSR1');
    await waitUntil({ what: 'there is a dump', read: async () => fleetd.stdout, until: (text) => text.endsWith('\n') });
    const { Directories } = JSON.parse(fleetd.stdout) as {
      readonly Directories: readonly { readonly units: number }[];
    };
    assert.deepEqual(
      Directories.map((each) => each.units),
      [2, 2],
    );
  });
});
