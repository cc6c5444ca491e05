import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command, Option } from 'commander';
import { plainFlags, renameFlags } from './command-line.js';
import { findCommandPath, pathText } from './command-path.js';
import { addGlobalFlags, readGlobalFlags } from './global-flags.js';

function program(): Command {
  const command = new Command('fleetctl').helpOption('-h, --help');
  addGlobalFlags(command);
  return command;
}

const options = [
  ...program().options,
  new Option('--replace'),
  new Option('--no-block'),
  new Option('-l, --full'),
  new Option('-o, --output <form>'),
];

const lines = [
  ['start a', 'start', 'a'],
  ['--endpoint start stop a', 'stop', '--endpoint start a'],
  ['--etcd-cafile start stop a', 'stop', '--ca-file start a'],
  ['--endpoint=x --debug start a', 'start', '--endpoint=x --debug a'],
  ['--full list-units', 'list-units', '--full'],
  ['machine --endpoint x metadata set b1d7 a=b', 'machine metadata set', '--endpoint x b1d7 a=b'],
  ['help', '', '--help'],
  ['help start', 'start', '--help'],
  ['help help', '', '--help'],
  ['--debug help machine metadata', 'machine metadata', '--help --debug'],
  ['start help', 'start', 'help'],
  ['--h', '', '--help'],
  ['-help', '', '--help'],
  ['-endpoint start -etcd-cafile stop load a', 'load', '-endpoint start --ca-file stop a'],
  ['-- start a', 'start', '-- a'],
  ['--debug -- machine limit b1d7', 'machine limit', '--debug -- b1d7'],
  ['start -- stop', 'start', '-- stop'],
] as const;
for (const [line, path, rest] of lines)
  test(`"${line}" calls "${path}"`, () => {
    const found = findCommandPath(renameFlags(line.split(' ')), program().options);
    assert.deepEqual([pathText(found), found.rest.join(' '), found.unknown], [path, rest, undefined]);
  });

for (const [line, unknown] of [
  ['nosuch', 'nosuch'],
  ['help nosuch', 'nosuch'],
  ['machine nosuch', 'nosuch'],
  ['help machine metadata nosuch', 'nosuch'],
] as const)
  test(`"${line}" calls nothing`, () =>
    assert.equal(findCommandPath(line.split(' '), program().options).unknown, unknown));

const flags = [
  ['--no-block=true --replace=false a', '--no-block a'],
  ['--replace --replace=false a', 'a'],
  ['--replace=F --replace=1', '--replace'],
  ['--full=T --l=0', ''],
  ['--l', '-l'],
  ['--output --l', '--output --l'],
  ['-o json --l=true', '-o json -l'],
  ['--output=true', '--output=true'],
  ['--unknown=true', '--unknown=true'],
  ['-full -no-block a', '--full --no-block a'],
  ['-full=false -l=true', '-l'],
  ['-output=json -endpoint x', '--output=json --endpoint x'],
  ['-o=json', '--output=json'],
  ['-ojson -unknown=x', '-ojson -unknown=x'],
  ['-output -full', '--output -full'],
  ['a -- --no-block=true --l', 'a -- --no-block=true --l'],
] as const;
for (const [line, plain] of flags)
  test(`"${line}" is "${plain}" in plain flags`, () =>
    assert.equal(plainFlags(line.split(' '), options).words.join(' '), plain));

test('a flag that is neither true nor false is told of', () =>
  assert.throws(() => plainFlags(['--replace=maybe'], options), { code: 'usage', message: /--replace=maybe/ }));

const readings = [
  ['the defaults', '', {}, { requestTimeout: 10_000, driver: 'API' }],
  [
    'the environment',
    '',
    { FLEETCTL_REQUEST_TIMEOUT: '2.5', FLEETCTL_DEBUG: 't' },
    { requestTimeout: 2500, debug: true },
  ],
  ['the line first', '--request-timeout 3', { FLEETCTL_REQUEST_TIMEOUT: '500ms' }, { requestTimeout: 3000 }],
  ['a denial on the line first', '--debug=false', { FLEETCTL_DEBUG: 'true' }, { debug: undefined }],
  ['an empty word on the line first', '--tunnel=', { FLEETCTL_TUNNEL: 'a' }, { tunnel: '' }],
  ['empty variables as none', '', { FLEETCTL_REQUEST_TIMEOUT: '', FLEETCTL_DEBUG: '' }, { requestTimeout: 10_000 }],
  ['older names', '--etcd-keyfile k', { FLEETCTL_ETCD_CAFILE: 'c' }, { keyFile: 'k', caFile: 'c' }],
  ['newer names first', '', { FLEETCTL_ETCD_CAFILE: 'c', FLEETCTL_CA_FILE: 'n' }, { caFile: 'n' }],
  ['an older name on the line first', '--etcd-cafile=l', { FLEETCTL_CA_FILE: 'n' }, { caFile: 'l' }],
  ['the last of two', '--ca-file a --ca-file=b', {}, { caFile: 'b' }],
  [
    'what goes over SSH',
    '--ssh-timeout=2.5 --strict-host-key-checking=false --known-hosts-file ~/k',
    { FLEETCTL_SSH_USERNAME: 'me', FLEETCTL_STRICT_HOST_KEY_CHECKING: 'false' },
    { sshUsername: 'me' },
  ],
  ['what has no effect', '--experimental-api --etcd-key-prefix /x', { FLEETCTL_EXPERIMENTAL_API: 'false' }, {}],
] as const;
for (const [title, line, environment, expected] of readings)
  test(`global flags are ${title}`, () => {
    const read = program();
    const { words, denied } = plainFlags(renameFlags(line.split(' ').filter(Boolean)), read.options);
    read.parse([...words], { from: 'user' });
    const found = readGlobalFlags(read, environment, denied);
    for (const [name, value] of Object.entries(expected)) assert.equal(new Map(Object.entries(found)).get(name), value);
  });

const unreadable = [
  ['FLEETCTL_DEBUG', 'maybe'],
  ['FLEETCTL_REQUEST_TIMEOUT', 'soon'],
  ['FLEETCTL_REQUEST_TIMEOUT', '0'],
  ['FLEETCTL_SSH_TIMEOUT', 'soon'],
  ['FLEETCTL_STRICT_HOST_KEY_CHECKING', 'perhaps'],
] as const;
for (const [variable, value] of unreadable)
  test(`${variable}=${value} is refused by name`, () =>
    assert.throws(() => readGlobalFlags(program(), { [variable]: value }, new Set()), {
      code: 'usage',
      message: new RegExp(`^${variable}=${value} `),
    }));
