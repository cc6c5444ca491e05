import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MachineId } from '@flotilla/cluster';
import { keys } from '@flotilla/registry';
import { machinePageSchema, unitPageSchema, unitStatePageSchema } from '@flotilla/schema';
import { sleeper, TestApi } from './api-harness.js';

const fleetToken = (limit: number, page: number) =>
  `${Buffer.from(Uint16Array.of(limit, page).buffer).toString('base64url')}==`;

async function unitsOf(count: number, pageLimit: number): Promise<TestApi> {
  const api = new TestApi({ pageLimit });
  for (let index = 0; index < count; index++) await api.put(`a${index}.service`, { options: sleeper() });
  return api;
}

async function pagesOf(api: TestApi): Promise<(readonly string[])[]> {
  const pages: (readonly string[])[] = [];
  let query = '';
  for (;;) {
    const { units = [], nextPageToken } = unitPageSchema.parse(await api.get(`/units${query}`));
    pages.push(units.map(({ name }) => name));
    if (nextPageToken === undefined) return pages;
    query = `?nextPageToken=${nextPageToken}`;
  }
}

async function pageOfMany(api: TestApi): Promise<string | undefined> {
  return unitPageSchema.parse(await api.get('/units?limit=5000')).nextPageToken;
}

describe('a list', () => {
  test('that is empty is an empty object', async () => {
    const api = new TestApi();
    for (const path of ['/units', '/state', '/machines']) assert.deepEqual(await api.get(path), {});
  });

  test('comes in pages, and ends without an empty one', async () => {
    assert.deepEqual(await pagesOf(await unitsOf(4, 2)), [
      ['a0.service', 'a1.service'],
      ['a2.service', 'a3.service'],
    ]);
    assert.deepEqual(
      (await pagesOf(await unitsOf(5, 2))).map((page) => page.length),
      [2, 2, 1],
    );
  });

  test('has as many entries on a page as are asked for, up to 1,000, if that is a number', async () => {
    const api = await unitsOf(5, 2);
    const page = async (query: string) => {
      const { units = [], nextPageToken } = unitPageSchema.parse(await api.get(`/units?${query}`));
      return { names: units.map(({ name }) => name), token: nextPageToken };
    };
    const first = await page('limit=3');
    assert.deepEqual(first.names, ['a0.service', 'a1.service', 'a2.service']);
    const second = { names: ['a3.service', 'a4.service'], token: undefined };
    assert.deepEqual(await page(`limit=3&nextPageToken=${first.token}`), second);
    const { status } = await api.send({ url: `/fleet/v1/units?nextPageToken=${first.token}` });
    assert.equal(status, 400);
    for (const limit of ['0', '-1', 'x', '1e3', '', '4294967296000'])
      assert.deepEqual((await page(`limit=${limit}`)).names, ['a0.service', 'a1.service']);
    const token = Buffer.from((await pageOfMany(await unitsOf(1002, 2))) ?? '', 'base64url');
    assert.equal(token.readUInt16LE(0), 1000);
  });

  test('loses and doubles nothing when it changes between two pages', async () => {
    const api = await unitsOf(4, 2);
    const { nextPageToken } = unitPageSchema.parse(await api.get('/units'));
    await api.send({ method: 'DELETE', url: '/fleet/v1/units/a0.service' });
    const { units } = unitPageSchema.parse(await api.get(`/units?nextPageToken=${nextPageToken}`));
    assert.deepEqual(
      units?.map(({ name }) => name),
      ['a2.service', 'a3.service'],
    );
  });

  test("is found by fleet's own tokens, which count", async () => {
    const api = await unitsOf(5, 2);
    const namesOn = async (page: number) => {
      const token = encodeURIComponent(fleetToken(2, page));
      return unitPageSchema.parse(await api.get(`/units?nextPageToken=${token}`)).units?.map(({ name }) => name);
    };
    assert.deepEqual(await namesOn(1), ['a0.service', 'a1.service']);
    assert.deepEqual(await namesOn(3), ['a4.service']);
    assert.equal(await namesOn(4), undefined);
    assert.equal(await namesOn(0xffff), undefined);
  });

  test('leaves the submitted texts to the single unit', async () => {
    const api = await unitsOf(1, 2);
    const { units = [] } = unitPageSchema.parse(await api.get('/units'));
    assert.deepEqual(
      units.map(({ file, options }) => [file, options?.length]),
      [[undefined, 1]],
    );
  });

  test('shows a unit whose file is lost, and says so in the log', async () => {
    const api = await unitsOf(1, 2);
    await api.store.transact({ success: [{ kind: 'delete', from: 'unit-files/', to: 'unit-files0' }] });
    const { units = [] } = unitPageSchema.parse(await api.get('/units'));
    assert.deepEqual(
      units.map(({ options }) => options),
      [undefined],
    );
    assert.ok(api.log.some(({ level, fields }) => level === 'warn' && fields?.unit === 'a0.service'));
  });
});

describe('unit states', () => {
  async function statesOf(): Promise<TestApi> {
    const api = await unitsOf(2, 2);
    for (const name of ['a0.service', 'a1.service']) for (const id of ['m1', 'm2']) await api.reportState(name, id);
    return api;
  }

  test('are filtered, then cut into pages', async () => {
    const api = await statesOf();
    const list = async (query: string) => {
      const { states = [], nextPageToken } = unitStatePageSchema.parse(await api.get(`/state${query}`));
      return [
        ...states.map(({ name, machineID }) => `${name}/${machineID}`),
        ...(nextPageToken === undefined ? [] : ['more']),
      ];
    };
    assert.deepEqual(await list(''), ['a0.service/m1', 'a0.service/m2', 'more']);
    assert.deepEqual(await list('?machineID=m2'), ['a0.service/m2', 'a1.service/m2']);
    assert.deepEqual(await list('?unitName=a1.service'), ['a1.service/m1', 'a1.service/m2']);
    assert.deepEqual(await list('?unitName=a1.service&machineID=m1'), ['a1.service/m1']);
    assert.deepEqual(await list('?unitName=&machineID=&alt=json'), ['a0.service/m1', 'a0.service/m2', 'more']);
    for (const query of [
      '?unitName=a',
      '?machineID=m',
      '?machineID=%20m1',
      '?unitName=a0.service/m1',
      '?machineID=x/y',
    ])
      assert.deepEqual(await list(query), [], query);
  });

  test('say what systemd says', async () => {
    const api = await unitsOf(1, 2);
    await api.place('a0.service', 'm1');
    await api.reportState('a0.service', 'm1', { active: 'failed', sub: 'failed', error: 'no such file' });
    const { body } = await api.send({ url: '/fleet/v1/state/a0.service' });
    assert.equal(
      body,
      `{"error":"no such file","hash":"${'1'.repeat(40)}","machineID":"m1","name":"a0.service","order":1,"since":5,"systemdActiveState":"failed","systemdLoadState":"loaded","systemdSubState":"failed"}`,
    );
  });
});

test('machines come by ID, with what is known of them', async () => {
  const api = new TestApi({ pageLimit: 1 });
  const record = { version: '1.2.3', instance: 'i', boot: 'b' };
  await api.write(keys.machine('m2' as MachineId), { ...record, address: '', metadata: {}, frozen: 'why' });
  await api.write(keys.machine('m1' as MachineId), {
    ...record,
    address: '10.0.0.1',
    metadata: { role: 'db', disk: 'ssd' },
  });
  const first = await api.send({ url: '/fleet/v1/machines' });
  const { nextPageToken } = machinePageSchema.parse(JSON.parse(first.body));
  assert.equal(
    first.body,
    `{"machines":[{"id":"m1","metadata":{"disk":"ssd","role":"db"},"primaryIP":"10.0.0.1","version":"1.2.3"}],"nextPageToken":"${nextPageToken}"}`,
  );
  assert.deepEqual(await api.get(`/machines?nextPageToken=${nextPageToken}`), {
    machines: [{ frozen: 'why', id: 'm2', version: '1.2.3' }],
  });
});
