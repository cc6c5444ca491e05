import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExplanationEntity } from '@flotilla/schema';
import { machines } from './testing/memory-machines.js';
import { openBench } from './testing/process.js';

const web = '[Unit]\nDescription=web server\n[Service]\nExecStart=/bin/sleep 100\n';
const global = `${web}[X-Fleet]\nGlobal=true\n`;
const [one = '', two = '', three = ''] = machines.map(({ id }) => id);

const placed: ExplanationEntity = {
  desiredState: 'launched',
  machineID: two,
  machines: [
    {
      id: one,
      load: 2,
      misfits: [{ key: 'missing-metadata:role=db', rule: 'MachineMetadata', text: 'lacks role=db' }],
    },
    { here: true, id: two, load: 1 },
    { id: three, load: 0 },
  ],
  name: 'web.service',
  requirements: ['MachineMetadata=role=db'],
  standing: 'placed',
  strategy: 'spread',
};
const waiting: ExplanationEntity = {
  desiredState: 'launched',
  name: 'db.service',
  reason: 'there is no machine',
  standing: 'waiting',
  strategy: 'spread',
};

test('explain says the verdict, what the unit asks for, and each machine with each rule', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.explanations.set('web.service', placed);
  const { stdout, stderr, exitCode } = await fleetctl('explain', 'web');
  assert.equal(stderr, '');
  assert.equal(
    stdout,
    [
      'web.service is placed on 22222222.../10.0.0.2, and fits 1 other machine',
      'It asks for',
      '  MachineMetadata=role=db',
      '',
      'MACHINE               UNITS  FIT   MachineMetadata  OPEN  ROOM',
      '22222222.../10.0.0.2  1      here  ok               ok    ok',
      '33333333...           0      yes   ok               ok    ok',
      '11111111.../10.0.0.1  2      no    lacks role=db    ok    ok',
      '',
    ].join('\n'),
  );
  assert.equal(exitCode, 0);
  const full = await fleetctl('explain', '--full', 'web');
  assert.match(full.stdout, new RegExp(`^${three} +0`, 'm'));
});

test('explain exits with 2 if a unit waits, and with 1 if one is unknown; the others are explained', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.explanations.set('web.service', placed);
  api.explanations.set('db.service', waiting);
  const two = await fleetctl('explain', 'web', 'db');
  assert.match(two.stdout, /\n\ndb.service waits: there is no machine\n$/);
  assert.equal(two.exitCode, 2);
  const unknown = await fleetctl('explain', 'db', 'wbe');
  assert.equal(unknown.stderr, 'Error explaining unit wbe.service: unit does not exist; there is web.service\n');
  assert.equal(unknown.stdout, 'db.service waits: there is no machine\n');
  assert.equal(unknown.exitCode, 1);
  const json = await fleetctl('explain', '-o', 'json', 'web', 'db');
  assert.deepEqual(JSON.parse(json.stdout), [placed, waiting]);
  assert.equal(json.exitCode, 2);
});

test('list-unit-files has a column for the reason, and one for since when', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.tempers.set('db.service', { reason: 'there is no machine' });
  api.add('db.service', web, 'launched');
  api.add('web.service', web, 'launched');
  const { stdout } = await fleetctl('list-unit-files', '--fields=unit,since,reason', '--no-legend');
  assert.equal(stdout, 'db.service\t2026-11-22T12:00:00.000Z\tthere is no machine\nweb.service\t-\t\t\t\t-\n');
});

test('load tells of each unit what it waits for; many that wait for the same are one line', async (context) => {
  const { api, fleetctl, write } = await openBench(context);
  await write('web@.service', web);
  for (let at = 1; at <= 20; at++) api.tempers.set(`web@${at}.service`, { reason: '3 machines: 3 lack role=cache' });
  const few = await fleetctl('load', '--wait=300ms', 'web@{1..2}');
  assert.deepEqual(few.stderr.split('\n'), [
    'Unit web@1.service is not loaded after 0.3 s: 3 machines: 3 lack role=cache',
    'Unit web@2.service is not loaded after 0.3 s: 3 machines: 3 lack role=cache',
    '',
  ]);
  assert.equal(few.exitCode, 2);
  const many = await fleetctl('start', '--wait=300ms', 'web@{1..20}');
  assert.equal(
    many.stderr,
    'Units web@1.service, web@2.service, web@3.service and 17 more are not launched after 0.3 s: ' +
      '3 machines: 3 lack role=cache\n',
  );
  assert.equal(many.exitCode, 2);
});

test('a global unit that no machine can run says so at the deadline', async (context) => {
  const { api, fleetctl, write } = await openBench(context);
  await write('agent.service', global);
  api.tempers.set('agent.service', { reason: '3 machines: 3 lack role=cache' });
  const { stdout, stderr, exitCode } = await fleetctl('start', '--wait=300ms', 'agent');
  assert.equal(stdout, 'Triggered global unit agent.service start\n');
  assert.equal(stderr, 'Unit agent.service is not on any machine after 0.3 s: 3 machines: 3 lack role=cache\n');
  assert.equal(exitCode, 2);
});
