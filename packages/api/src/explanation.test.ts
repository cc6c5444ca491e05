import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type LeaderExplains,
  parseMachineId,
  stoppingKey,
  type UnitExplanation,
  type UnknownUnit,
} from '@flotilla/cluster';
import { keys, type LossRecord, type ReasonRecord, StoreError } from '@flotilla/registry';
import { explanationSchema, unitPageSchema, unitSchema } from '@flotilla/schema';
import { parseUnitName } from '@flotilla/unit';
import { errorText, sleeper, TestApi } from './api-harness.js';

const url = '/fleet/v2/units/web@1.service/explain';

const waiting: UnitExplanation = {
  kind: 'unit',
  unit: parseUnitName('web@1.service'),
  desiredState: 'launched',
  standing: 'waiting',
  placement: undefined,
  isHeldBack: false,
  leaving: [],
  reason: { machines: 1, misfits: { 'missing-metadata:role=db': 1 } },
  waitingSince: 5,
  requirements: ['MachineMetadata=role=db'],
  strategy: 'spread',
  machines: [
    {
      machine: parseMachineId('aaaa'),
      load: 3,
      maxUnits: undefined,
      isHere: false,
      misfits: [{ kind: 'missing-metadata', key: 'role', accepted: ['db'] }],
      preference: undefined,
      rank: undefined,
    },
  ],
};

test('an explanation has every machine with what rules it out', async () => {
  const asked: string[] = [];
  const api = new TestApi({
    explain: async (name) => {
      asked.push(name);
      return waiting;
    },
  });
  const { status, body } = await api.send({ url: '/fleet/v2/units/web%401.service/explain' });
  assert.equal(status, 200);
  assert.deepEqual(asked, ['web@1.service']);
  const answer = JSON.parse(body);
  assert.deepEqual(explanationSchema.parse(answer), answer);
  assert.deepEqual(answer, {
    desiredState: 'launched',
    machines: [
      {
        id: 'aaaa',
        load: 3,
        misfits: [{ key: 'missing-metadata:role=db', rule: 'MachineMetadata', text: 'lacks role=db' }],
      },
    ],
    name: 'web@1.service',
    reason: '1 machine: 1 lacks role=db',
    requirements: ['MachineMetadata=role=db'],
    standing: 'waiting',
    strategy: 'spread',
    waitingSince: 5,
  });
});

test('an unknown unit is a 404 that names the one most like it; what is no name is not looked up', async () => {
  let answer: UnknownUnit = { kind: 'unknown', nearest: parseUnitName('web@2.service') };
  const api = new TestApi({ explain: async () => answer });
  assert.equal(errorText(await api.send({ url })), 'unit does not exist; there is web@2.service');
  answer = { kind: 'unknown', nearest: undefined };
  assert.equal(errorText(await api.send({ url })), 'unit does not exist');
  const { status } = await api.send({ url: '/fleet/v2/units/no-type/explain' });
  assert.equal(status, 404);
});

test('of a cluster that is too large, the leader is to be asked', async () => {
  let leader: LeaderExplains['leader'] = { machine: parseMachineId('0123456789abcdef'), address: '10.0.0.1' };
  const api = new TestApi({ explain: async () => ({ kind: 'leader-explains', leader }) });
  const only = 'only the leader explains the units of a cluster as large as this one';
  assert.equal(errorText(await api.send({ url })), `${only}: ask the fleetd of machine 01234567 at 10.0.0.1`);
  leader = { ...leader, address: '' };
  assert.equal(errorText(await api.send({ url })), `${only}: ask the fleetd of machine 01234567`);
  leader = undefined;
  const refused = await api.send({ url });
  assert.equal(errorText(refused), `${only}, and nobody leads at the moment`);
  assert.equal(refused.status, 421);
});

test('a store that is away is a 503, and so is a fleetd that is not ready', async () => {
  const api = new TestApi({ explain: () => Promise.reject(new StoreError('unavailable', 'no etcd')) });
  assert.equal((await api.send({ url })).status, 503);
  api.isReady = false;
  assert.equal((await api.send({ url })).status, 503);
});

test('only GET explains', async () => {
  const { status, headers } = await new TestApi().send({ method: 'POST', url, body: {} });
  assert.deepEqual([status, headers.Allow], [405, 'GET']);
});

test('a unit says in API v1 why and since when it waits, a global one too', async () => {
  const api = new TestApi();
  const global = [...sleeper(), { section: 'X-Fleet', name: 'Global', value: 'true' }];
  const reason: ReasonRecord = { since: 7, machines: 2, misfits: { 'missing-metadata:role=db': 2 } };
  for (const [name, options] of [
    ['a.service', sleeper()],
    ['g.service', global],
  ] as const) {
    await api.put(name, { desiredState: 'launched', options });
    await api.write(keys.reason(parseUnitName(name)), reason);
    const unit = unitSchema.parse(await api.get(`/units/${name}`));
    assert.deepEqual([unit.reason, unit.waitingSince], ['2 machines: 2 lack role=db', 7]);
  }
  await api.place('a.service', 'aaaa');
  const placed = unitSchema.parse(await api.get('/units/a.service'));
  assert.deepEqual([placed.reason, placed.waitingSince], [undefined, undefined]);
});

const held = [
  ['grace', 'its machine 01234567 is gone, and may be back in a moment'],
  [
    'brake',
    'its machine 01234567 is gone, with too many others at once: nothing moves until enough are back, or are released',
  ],
  ['rate', 'its machine 01234567 is gone, and others are lost before it: its units are next'],
  ['lost', undefined],
] as const;

test('a unit on a machine that is lost and may still have it', async () => {
  const api = new TestApi();
  const machine = parseMachineId('0123456789abcdef');
  await api.put('a.service', { desiredState: 'launched', options: sleeper() });
  await api.place('a.service', machine);
  await api.write(keys.loss(machine), { since: 7, state: 'lost', at: 8, units: 1, address: '' });
  const key = stoppingKey({ machine, untilMs: 1_800_000_000_000 });
  await api.write(keys.reason(parseUnitName('a.service')), { since: 9, machines: 1, misfits: { [key]: 1 } });
  const unit = unitSchema.parse(await api.get('/units/a.service'));
  const reason = 'machine 01234567 is gone, and may take until 2027-01-15T08:00:00Z to stop it (OnPartition=stop)';
  assert.deepEqual([unit.reason, unit.waitingSince], [reason, 9]);
});

for (const [state, reason] of held)
  test(`a unit on a machine that is gone, in state ${state}`, async () => {
    const api = new TestApi();
    const machine = parseMachineId('0123456789abcdef');
    const loss: LossRecord = { since: 7, state, at: 8, units: 1, address: '' };
    await api.put('a.service', { desiredState: 'launched', options: sleeper() });
    await api.place('a.service', machine);
    await api.write(keys.loss(machine), loss);
    const since = reason === undefined ? undefined : 7;
    const unit = unitSchema.parse(await api.get('/units/a.service'));
    assert.deepEqual([unit.reason, unit.waitingSince], [reason, since]);
    const [listed] = unitPageSchema.parse(await api.get('/units')).units ?? [];
    assert.deepEqual([listed?.reason, listed?.waitingSince], [reason, since]);
  });
