import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { assertExplained } from './testing/explaining.js';
import { runWords } from './testing/in-process.js';
import { ended, openBench } from './testing/process.js';

const web = '[Unit]\nDescription=web server\n[Service]\nExecStart=/bin/sleep 100\n';
const lists = ['list-units', 'list-unit-files', 'list-machines', 'settings get'];

async function openHarbour(context: Parameters<typeof openBench>[0]) {
  const bench = await openBench(context);
  const fleetctl = (...words: readonly string[]) => runWords(words, { FLEETCTL_ENDPOINT: bench.api.endpoint });
  bench.api.add('web@1.service', web, 'launched');
  bench.api.add('web@2.service', web, 'loaded');
  bench.api.add('agent.service', `${web}[X-Fleet]\nGlobal=true\n`, 'launched');
  return { ...bench, fleetctl };
}

test('YAML says what JSON says, of every list and of status', async (context) => {
  const { fleetctl } = await openHarbour(context);
  for (const list of [...lists, 'status web@1']) {
    const words = list.split(' ');
    const [json, yaml] = [await fleetctl(...words, '-o', 'json'), await fleetctl(...words, '--output=yaml')];
    assert.deepEqual(parse(yaml.stdout), JSON.parse(json.stdout), list);
    assert.deepEqual([json.stderr, yaml.stderr], ['', ''], list);
  }
});

test('wide has more columns than the usual list; names come each once', async (context) => {
  const { api, fleetctl } = await openHarbour(context);
  const headOf = async (list: string, ...flags: readonly string[]) =>
    (await fleetctl(...list.split(' '), ...flags)).stdout.split('\n')[0]?.split(/\t+/) ?? [];
  for (const list of lists) {
    const [usual, wide] = [await headOf(list), await headOf(list, '-o', 'wide')];
    assert.deepEqual(
      usual.filter((field) => !wide.includes(field)),
      [],
    );
    assert.ok(wide.length > usual.length, list);
  }
  api.requests.length = 0;
  const machines = await fleetctl('list-machines', '-o', 'wide', '--no-legend');
  assert.match(machines.stdout, /^1111.{4}\.{3}\t10.0.0.1\tdisk=ssd,role=db\t-\t[12]\t-\tok\n/);
  assert.deepEqual(api.requests.sort(), ['GET machines', 'GET state?limit=500']);
  assert.equal((await fleetctl('list-units', '-o', 'name')).stdout, 'agent.service\nweb@1.service\nweb@2.service\n');
});

test('names, patterns, states and machines choose what is listed, and what is asked for', async (context) => {
  const { api, fleetctl } = await openHarbour(context);
  const rows = async (...words: readonly string[]) => {
    api.requests.length = 0;
    const { stdout, stderr, exitCode } = await fleetctl(...words, '--no-legend', '--fields=unit');
    const told = words.includes('absent') ? 'Unit absent.service is on no machine; ' : '';
    assert.deepEqual([stderr.replace(/fleetctl status.*\n/, ''), exitCode], [told, 0]);
    return stdout.split('\n').slice(0, -1);
  };
  assert.deepEqual(await rows('list-units', 'web@*'), ['web@1.service', 'web@2.service']);
  assert.deepEqual(await rows('list-units', 'web@2', 'absent'), ['web@2.service']);
  assert.ok(api.requests.includes('GET state?unitName=web%402.service'), api.requests.join());
  assert.deepEqual(await rows('list-units', '--state=inactive,failed'), ['web@2.service']);
  assert.deepEqual(await rows('list-units', '--machine=3333', 'agent'), ['agent.service']);
  assert.deepEqual(await rows('list-units', '--machine=9'), []);
  assert.deepEqual(await rows('list-unit-files', 'web@{1..2}', 'agent'), [
    'agent.service',
    'web@1.service',
    'web@2.service',
  ]);
  assert.deepEqual(await rows('list-unit-files', 'a*'), ['agent.service']);
  const machine = await fleetctl('list-machines', '22', '--no-legend', '--full', '--fields=machine');
  assert.equal(machine.stdout, '2222222222222222bbbbbbbbbbbbbbbb\n');
  const json = await fleetctl('list-unit-files', 'web@1', '-o', 'json');
  assert.equal('file' in JSON.parse(json.stdout)[0], false);
});

test('no cell is empty, none breaks its line, whatever a unit says of itself', async (context) => {
  const { api, fleetctl } = await openHarbour(context);
  api.add('web.service', '[Unit]\nDescription=a\tb\u001b[2Jc\u202e\n[Service]\nExecStart=/bin/a\n', 'launched');
  const { stdout } = await fleetctl('list-unit-files', 'web', '--no-legend', '--fields=desc,unit');
  assert.equal(stdout, 'a b [2Jc\tweb.service\n');
});

const nonsense = [
  [['list-units', '-o', 'json', '--fields=unit'], /--fields chooses columns, and -o json has none/],
  [['list-units', '-o', 'name', '--fields=unit'], /--fields chooses columns, and -o name has none/],
  [['list-machines', '-o', 'wide', '--fields=ip'], /--fields and -o wide both choose the columns/],
  [['list-units', '--watch=often'], /no duration like 2s/],
  [['list-units', '--watch=10ms'], /The shortest is 100ms/],
  [['list-units', 'a b'], /"a b" is not a unit/],
] as const;

const lines = [
  ['list-units', 'Error retrieving list of units from repository: no etcd'],
  ['list-unit-files', 'Error retrieving list of units from repository: no etcd'],
  ['list-machines', 'Error retrieving list of active machines from fleet API (no etcd)'],
  ['cat web@1', 'Error retrieving Unit web@1.service: no etcd'],
  ['status web@1', 'Error retrieving unit: no etcd'],
] as const;
for (const [line, message] of lines)
  test(`${line}: an error is told in words that scripts know`, async (context) => {
    const { api, fleetctl } = await openHarbour(context);
    api.absences = 9;
    const { stdout, stderr, exitCode } = await fleetctl(...line.split(' '));
    assert.deepEqual([stdout, stderr.split('\n')[0], exitCode], ['', message, 1]);
  });

test('flags that contradict each other are explained', async (context) =>
  assertExplained(await openHarbour(context), nonsense));

test('a watched list goes on until a change finds no reader', async (context) => {
  const { api, spawn } = await openHarbour(context);
  const child = spawn(['list-units', '--watch=100ms', '--no-legend', '--fields=unit,active', 'web@*']);
  const lines: string[] = [];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    lines.push(text);
    if (lines.length === 2) child.stdout?.destroy();
    api.add(`web@${lines.length + 2}.service`, web, 'launched');
  });
  const { exitCode } = await ended(child);
  assert.deepEqual(lines, ['web@1.service\tactive\nweb@2.service\tinactive\n', 'web@3.service\tactive\n']);
  assert.equal(exitCode, 141);
});

test('the word after -w is a pattern, and Ctrl-C ends a watched list with 130', async (context) => {
  const { spawn } = await openHarbour(context);
  const child = spawn(['list-units', '-w', 'agent', '-o', 'name']);
  child.stdout?.once('data', () => child.kill('SIGINT'));
  const { stdout, exitCode } = await ended(child);
  assert.deepEqual([stdout, exitCode], ['agent.service\n', 130]);
});
