import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashUnitFile, parseUnitFile } from '@flotilla/unit';
import { openBench } from './testing/process.js';

const web = '[Unit]\nDescription=web server\n[Service]\nExecStart=/bin/sleep 100\n';
const webHash = hashUnitFile(parseUnitFile(web)).slice(0, 7);

test('list-units has one line per unit and machine, in columns of tab stops', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.add('web.service', web, 'launched');
  api.add('agent.service', `${web}[X-Fleet]\nGlobal=true\n`, 'launched');
  const { stdout, stderr, exitCode } = await fleetctl('list-units');
  assert.equal(stderr, '');
  assert.equal(exitCode, 0);
  assert.equal(
    stdout,
    [
      'UNIT\t\tMACHINE\t\t\tACTIVE\tSUB',
      'agent.service\t11111111.../10.0.0.1\tactive\trunning',
      'agent.service\t22222222.../10.0.0.2\tactive\trunning',
      'agent.service\t33333333...\t\tactive\trunning',
      'web.service\t22222222.../10.0.0.2\tactive\trunning',
      '',
    ].join('\n'),
  );
  const full = await fleetctl('list-units', '-l', '--no-legend', '--fields', 'machine,load,unit');
  assert.match(full.stdout, /^1111111111111111aaaaaaaaaaaaaaaa\/10.0.0.1\tloaded\tagent.service\n/);
});

test('list-unit-files shows what was asked, what is, and where', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.add('web@.service', web);
  api.add('web@1.service', web, 'launched');
  api.add('agent.service', `${web}[X-Fleet]\nGlobal=true\n`, 'launched');
  const { stdout } = await fleetctl('list-unit-files', '--fields=unit,dstate,state,target,global,desc');
  assert.equal(
    stdout,
    [
      'UNIT\t\tDSTATE\t\tSTATE\t\tTARGET\t\tGLOBAL\tDESC',
      'agent.service\tlaunched\t-\t\tglobal\t\ttrue\tweb server',
      'web@.service\tinactive\tinactive\t-\t\tfalse\tweb server',
      'web@1.service\tlaunched\tlaunched\t33333333...\tfalse\tweb server',
      '',
    ].join('\n'),
  );
  const hash = await fleetctl('list-unit-files', '--no-legend', '--fields=hash,tmachine');
  assert.match(hash.stdout, new RegExp(`^[0-9a-f]{7}\\tglobal\\n${webHash}\\t-\\n`));
  assert.match(hash.stderr, /The "tmachine" field is deprecated/);
});

test('list-machines shows addresses and metadata', async (context) => {
  const { fleetctl } = await openBench(context);
  const { stdout } = await fleetctl('list-machines');
  assert.equal(
    stdout,
    [
      'MACHINE\t\tIP\t\tMETADATA',
      '11111111...\t10.0.0.1\tdisk=ssd,role=db',
      '22222222...\t10.0.0.2\t-',
      '33333333...\t-\t\t-',
      '',
    ].join('\n'),
  );
  const full = await fleetctl('list-machines', '--full=true', '--no-legend=true', '--fields=machine');
  assert.match(full.stdout, /^1111111111111111aaaaaaaaaaaaaaaa\n2222222222222222bbbbbbbbbbbbbbbb\n/);
});

test('list-machines says below the table, on stderr, what is to be seen to at etcd', async (context) => {
  const { api, fleetctl } = await openBench(context);
  const { stdout } = await fleetctl('list-machines');
  const member = 'http://10.0.0.9:2379';
  api.alarms = [
    { code: 'store-no-space', member, message: `etcd member ${member} has used up its space quota` },
    { code: 'store-slow-disk', message: 'etcd takes 300 ms to write to disk' },
  ];
  const told = await fleetctl('list-machines');
  assert.equal(told.stdout, stdout);
  assert.equal(
    told.stderr,
    `Alarm: etcd member ${member} has used up its space quota\nAlarm: etcd takes 300 ms to write to disk\n`,
  );
  assert.equal(told.exitCode, 0);
  const json = await fleetctl('list-machines', '-o', 'json');
  assert.equal(json.stderr, '');
  const page = JSON.parse(json.stdout);
  assert.deepEqual(page.alarms, api.alarms);
  assert.equal(page.machines.length, 3);
});

test('lists are also JSON and names', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.add('web.service', web, 'launched');
  const json = await fleetctl('list-units', '-o', 'json');
  assert.equal(JSON.parse(json.stdout)[0].systemdActiveState, 'active');
  const names = await fleetctl('list-unit-files', '--output=name');
  assert.equal(names.stdout, 'web.service\n');
});

test('an empty list is its head line', async (context) => {
  const { fleetctl } = await openBench(context);
  assert.equal((await fleetctl('list-units')).stdout, 'UNIT\tMACHINE\tACTIVE\tSUB\n');
});

test('what is named and not there is told of on stderr, for a list that is empty says nothing', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.add('web.service', web, 'launched');
  api.add('idle.service', web, 'inactive');
  for (const [line, absent] of [
    ['list-units --no-legend web wbe idle', 'idle wbe'],
    ['list-unit-files -o name web wbe idle', 'wbe'],
    ['list-machines --no-legend 1111 9999', '9999'],
    ['list-units nothing*', ''],
    ['list-units web --state=failed', ''],
  ] as const) {
    const { stderr, exitCode } = await fleetctl(...line.split(' '));
    const told = [
      ...stderr.matchAll(/^(?:Unit (\S+)\.service (?:is on no machine|does not exist)|No machine .* (\S+)$)/gm),
    ];
    assert.equal(told.map(([, unit, machine]) => unit ?? machine).join(' '), absent, line);
    assert.equal(stderr.split('\n').length - 1, told.length, line);
    assert.equal(exitCode, 0, line);
  }
});
