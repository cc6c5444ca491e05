import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Config } from './config.js';
import { ConfigError } from './errors.js';
import { parseFlags } from './flags.js';
import { type LoadedConfig, loadConfig } from './load-config.js';
import { flagName, legacyOptions, type OptionName, optionNames, variableName } from './options.js';

interface Row {
  readonly read: (config: Config) => unknown;
  /** Texts that differ in what they mean, with that. */
  readonly good: readonly (readonly [text: string, means: unknown])[];
  readonly bad: readonly string[];
  /** Options without which this one is refused. */
  readonly beside?: readonly OptionName[];
}

const text = (read: (config: Config) => unknown): Row => ({
  read,
  good: [
    ['a', 'a'],
    ['b=c d', 'b=c d'],
  ],
  bad: [],
});
const path = (read: (config: Config) => unknown): Row => ({
  read,
  good: [
    ['/a', '/a'],
    ['/b c', '/b c'],
  ],
  bad: ['a', './a'],
});
const boolean = (read: (config: Config) => unknown): Row => ({
  read,
  good: [
    ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((yes) => [yes, true] as const),
    ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((no) => [no, false] as const),
  ],
  bad: ['yes', '2', 'on', 'tru'],
});
const duration = (read: (config: Config) => unknown, unit: number): Row => ({
  read,
  good: [
    ['5s', 5000 / unit],
    ['1m30s', 90_000 / unit],
    ['1.5h', 5_400_000 / unit],
    ['+.5m', 30_000 / unit],
    ['2000000us', 2000 / unit],
  ],
  bad: ['30', '0', '0s', '-1s', '1 s', '1d', '501h', 'soon'],
});
const notSeconds = ['2s', '0', '-1', 'x', 'Infinity', 'NaN', '86401'];

const table: Readonly<Record<OptionName, Row>> = {
  etcd_servers: {
    read: ({ etcd }) => etcd.servers,
    good: [
      ['http://a:1', ['http://a:1']],
      ['["http://a:1", "https://b:2/"]', ['http://a:1', 'https://b:2']],
      ['http://a:1 , http://b:2', ['http://a:1', 'http://b:2']],
    ],
    bad: ['a:1', 'http://a:1,b', 'http://u:p@a:1', 'ftp://a'],
  },
  etcd_username: text(({ etcd }) => etcd.username),
  etcd_password: text(({ etcd }) => etcd.password),
  etcd_keyfile: { ...path(({ etcd }) => etcd.keyFile), beside: ['etcd_certfile'] },
  etcd_certfile: { ...path(({ etcd }) => etcd.certFile), beside: ['etcd_keyfile'] },
  etcd_cafile: path(({ etcd }) => etcd.caFile),
  etcd_key_prefix: {
    read: ({ etcd }) => etcd.keyPrefix,
    good: [
      ['/a/', '/a/'],
      ['b/c', '/b/c/'],
    ],
    bad: ['/a b/'],
  },
  etcd_request_timeout: {
    read: ({ etcd }) => etcd.requestTimeoutMs,
    good: [
      ['2', 2000],
      ['0.5', 500],
    ],
    bad: notSeconds,
  },
  embedded_etcd: {
    read: ({ embeddedEtcd }) => embeddedEtcd,
    good: [
      ['never', 'never'],
      ['auto', 'auto'],
    ],
    bad: ['on'],
  },
  public_ip: {
    read: ({ publicIp }) => publicIp,
    good: [
      ['10.0.0.1', '10.0.0.1'],
      ['::1', '::1'],
    ],
    bad: ['http://10.0.0.1', 'a b'],
  },
  metadata: {
    read: ({ metadata }) => Object.fromEntries(metadata),
    good: [
      ['a=b', { a: 'b' }],
      [' a = b=c , d=e,a=f', { a: 'f', d: 'e' }],
    ],
    bad: ['a', '=b', 'a=b,c'],
  },
  max_units: {
    read: ({ maxUnits }) => maxUnits,
    good: [
      ['7', 7],
      ['0', undefined],
    ],
    bad: ['-1', 'x', '1.5', '1000001'],
  },
  agent_ttl: duration(({ agentTtlSeconds }) => agentTtlSeconds, 1000),
  unit_dirs: {
    read: ({ unitDirectories }) => unitDirectories,
    good: [
      ['a:/b/', [{ name: 'a', path: '/b' }]],
      ['none', []],
      [
        'a:/b c, d.e:/f',
        [
          { name: 'a', path: '/b c' },
          { name: 'd.e', path: '/f' },
        ],
      ],
    ],
    bad: [
      '/a',
      'a:b',
      '-:/a',
      'a:/b,a:/c',
      'a:/b,c:/b',
      'a:/var/lib/fleet/units',
      'a:/proc/1',
      'a:/etc/systemd/system',
    ],
  },
  units_directory: path(({ unitsDirectory }) => unitsDirectory),
  state_directory: path(({ stateDirectory }) => stateDirectory),
  systemd_user: boolean(({ isUserManager }) => isUserManager),
  disable_agent: boolean(({ hasAgent }) => !hasAgent),
  on_stop: {
    read: ({ onStop }) => onStop,
    good: [
      ['leave', 'leave'],
      ['stay', 'stay'],
      ['auto', 'auto'],
    ],
    bad: ['go', 'Leave'],
  },
  leave_timeout: duration(({ leaveTimeoutMs }) => leaveTimeoutMs, 1),
  disable_engine: boolean(({ hasEngine }) => !hasEngine),
  engine_reconcile_interval: {
    read: ({ leaderTtlSeconds }) => leaderTtlSeconds,
    good: [
      ['1', 5],
      ['0.5', 3],
    ],
    bad: notSeconds,
  },
  loss_grace: duration(({ lossGraceMs }) => lossGraceMs, 1),
  listen: {
    read: ({ listen }) => listen,
    good: [
      ['unix:///run/a.sock', [{ kind: 'unix', path: '/run/a.sock' }]],
      ['http://127.0.0.1:1/', [{ kind: 'tcp', host: '127.0.0.1', port: 1 }]],
      [
        'localhost:2, [::1]:3',
        [
          { kind: 'tcp', host: 'localhost', port: 2 },
          { kind: 'tcp', host: '::1', port: 3 },
        ],
      ],
    ],
    bad: [
      '0.0.0.0:1',
      '10.0.0.1:1',
      'http://[::]:1',
      'a.example:1',
      '127.0.0.1',
      ':1',
      'unix://a',
      'unix:///a/',
      'localhost:0',
      'localhost:65536',
      'https://localhost:1',
      '[a]:1',
    ],
  },
  insecure_listen: {
    read: ({ listen }) => listen,
    good: [
      ['0.0.0.0:1', [{ kind: 'tcp', host: '0.0.0.0', port: 1 }]],
      ['http://[::]:2,[::]:2', [{ kind: 'tcp', host: '::', port: 2 }]],
    ],
    bad: ['0.0.0.0', 'https://10.0.0.1:1', '10.0.0.1:x'],
  },
  token_limit: {
    read: ({ tokenLimit }) => tokenLimit,
    good: [
      ['1', 1],
      ['65535', 65_535],
    ],
    bad: ['0', '65536', 'x', '-1'],
  },
  verbosity: {
    read: ({ logLevel }) => logLevel,
    good: [
      ['1', 'debug'],
      ['0', 'info'],
    ],
    bad: ['x', '-1', 'true'],
  },
};

const sources = ['flag', 'variable', 'file'] as const;
type Given = Partial<Record<(typeof sources)[number], Readonly<Partial<Record<string, string>>>>>;

describe('every option', () => {
  let directory = '';
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fleetd-options-'));
  });
  after(() => rm(directory, { recursive: true }));

  async function load({ flag = {}, variable = {}, file = {} }: Given): Promise<LoadedConfig> {
    const configFile = join(directory, 'fleet.conf');
    // An empty value in quotes would be another one; `"` in a value needs none around it.
    const lines = Object.entries(file).map(
      ([name, value]) => `${name} = ${value?.includes('"') ? value : `"${value}"`}\n`,
    );
    await writeFile(configFile, `# first line\n${lines.join('')}`);
    const args = Object.entries(flag).map(([name, value]) => `--${flagName(name)}=${value}`);
    const command = await parseFlags([`--config=${configFile}`, ...args]);
    assert.equal(command.kind, 'run', JSON.stringify(command));
    if (command.kind !== 'run') assert.fail();
    const environment = Object.fromEntries(
      Object.entries(variable).map(([name, value]) => [variableName(name), value]),
    );
    return loadConfig({ ...command, account: { uid: 0, name: 'root', home: '/root' }, environment });
  }

  const sourceName = (source: (typeof sources)[number], name: string) =>
    ({ flag: `--${flagName(name)}`, variable: variableName(name), file: `${join(directory, 'fleet.conf')}:2` })[source];

  for (const name of optionNames) {
    const { read, good, bad, beside = [] } = table[name];
    const besides = Object.fromEntries(beside.map((other) => [other, '/beside']));
    const from = (source: (typeof sources)[number], value: string): Given => ({
      [source]: { [name]: value, ...besides },
    });

    for (const source of sources) {
      test(`${name} as a ${source}`, async () => {
        for (const [value, means] of good)
          assert.deepEqual(read((await load(from(source, value))).config), means, `${name}=${value}`);
        for (const value of bad) {
          const error = await load(from(source, value)).then(
            ({ config }) => assert.fail(`${name}=${value} was read as ${JSON.stringify(read(config))}`),
            (reason: unknown) => reason,
          );
          assert.ok(error instanceof ConfigError, String(error));
          assert.ok(error.message.startsWith(`${sourceName(source, name)}: ${name} is `), error.message);
        }
      });
    }

    test(`${name}: a flag wins over the environment, that over the file; set to nothing is the default`, async () => {
      const [[one, isOne] = [''], [two, isTwo] = ['']] = [good[0], good.find(([, means]) => means !== good[0]?.[1])];
      const fallback = read((await load({})).config);
      const all = async (given: Given) => read((await load({ ...given, ...addBeside(given) })).config);
      const addBeside = (given: Given): Given => ({ flag: { ...besides, ...given.flag } });
      assert.deepEqual(await all({ flag: { [name]: one }, variable: { [name]: two }, file: { [name]: two } }), isOne);
      assert.deepEqual(await all({ variable: { [name]: one }, file: { [name]: two } }), isOne);
      assert.deepEqual(await all({ variable: { [name]: two }, file: { [name]: one } }), isTwo);
      if (beside.length > 0) return;
      assert.deepEqual(await all({ flag: { [name]: '' }, variable: { [name]: two }, file: { [name]: two } }), fallback);
      assert.deepEqual(await all({ variable: { [name]: '' }, file: { [name]: two } }), fallback);
      assert.deepEqual(await all({ file: { [name]: '' } }), fallback);
    });
  }

  test('of fleet’s that mean nothing here is accepted from anywhere, with one line each', async () => {
    for (const source of sources) {
      const all = Object.fromEntries(legacyOptions.map((name) => [name, 'true']));
      const { notes } = await load({ [source]: all });
      for (const name of legacyOptions) {
        const lines = notes.filter(({ message }) =>
          message.includes(`Config option ${name} is no longer supported - ignoring`),
        );
        assert.deepEqual(
          lines.map(({ level }) => level),
          ['warn'],
          `${name} as a ${source}`,
        );
      }
    }
  });

  test('misspelt is told with the nearest one', async () => {
    const { notes } = await load({ variable: { agent_tll: '1s', xyzzy: '1' }, file: { token_limits: '7' } });
    const said = notes.slice(1).map(({ message }) => message.replace(directory, ''));
    assert.deepEqual(said, [
      'FLEET_AGENT_TLL is no option and is ignored; did you mean FLEET_AGENT_TTL?',
      '/fleet.conf:2: unknown option token_limits is ignored; did you mean token_limit?',
    ]);
  });
});
