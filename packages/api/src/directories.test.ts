import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import { applyClaimant, type Claimant, type DirectoryHostRecord, keys } from '@flotilla/registry';
import { type DirectoryDetailEntity, directoriesAnswerSchema, directoryDetailSchema } from '@flotilla/schema';
import { parseOwnerName, parseUnitName } from '@flotilla/unit';
import { errorText, sleeper, TestApi, type TestRequest } from './api-harness.js';

const here = parseMachineId('a'.repeat(32));
const gone = parseMachineId('b'.repeat(32));
const web = parseOwnerName('web');
const plain: DirectoryHostRecord = {
  path: '/srv/units',
  pass: 3,
  units: 2,
  isThere: true,
  problems: [],
  problemCount: 0,
  conflicts: [],
  conflictCount: 0,
};
const troubled: DirectoryHostRecord = {
  ...plain,
  isThere: false,
  problems: [
    { source: 'a.service', line: 3, message: '[Service] ExecStrat= is not known' },
    { source: 'b', message: 'no' },
  ],
  problemCount: 2,
  conflicts: [
    { unit: parseUnitName('mine.service') },
    { unit: parseUnitName('theirs.service'), owner: parseOwnerName('db') },
  ],
  conflictCount: 2,
  held: { why: 'directory-gone', digest: '0123456789abcdef', since: 5, units: [parseUnitName('a.service')], count: 1 },
  lastChange: { at: 7, created: 1, changed: 0, removed: 0, units: [parseUnitName('a.service')] },
};

/** An API with `web` on a machine that is there and one that is not, and applied; `local` on the latter. */
async function open(): Promise<TestApi> {
  const api = new TestApi();
  await api.write(keys.machine(here), { address: '10.0.0.1', metadata: {}, version: '' });
  await api.write(keys.directoryHost(web, here), plain);
  await api.write(keys.directoryHost(web, gone), troubled);
  await api.write(keys.directoryHost(web, applyClaimant), { ...plain, path: '', pass: 0, units: 1 });
  await api.write(keys.directoryHost(parseOwnerName('local'), gone), plain);
  return api;
}

const bare = {
  conflictCount: 0,
  conflicts: [],
  isThere: true,
  path: '/srv/units',
  problemCount: 0,
  problems: [],
  units: 2,
};

async function find(api: TestApi, name: string): Promise<DirectoryDetailEntity> {
  const { status, body } = await api.send({ url: `/fleet/v2/dirs/${name}` });
  assert.equal(status, 200, body);
  return directoryDetailSchema.parse(JSON.parse(body));
}

function assertSortedKeys(body: string): void {
  JSON.stringify(JSON.parse(body), (_key, part: unknown) => {
    if (typeof part === 'object' && part !== null && !Array.isArray(part))
      assert.deepEqual(Object.keys(part), Object.keys(part).sort());
    return part;
  });
}

describe('the list of directories', () => {
  test('has each with its hosts, which are in the cluster or lost, and what there is to tell of them', async () => {
    const { status, body } = await (await open()).send({ url: '/fleet/v2/dirs' });
    assert.equal(status, 200);
    assertSortedKeys(body);
    const { directories } = directoriesAnswerSchema.parse(JSON.parse(body));
    assert.deepEqual(directories, [
      { hosts: [{ ...bare, claimant: gone, isLost: true }], name: 'local' },
      {
        hosts: [
          { ...bare, claimant: 'apply', path: '', units: 1 },
          { ...bare, address: '10.0.0.1', claimant: here },
          {
            ...bare,
            claimant: gone,
            conflictCount: 2,
            conflicts: [{ unit: 'mine.service' }, { owner: 'db', unit: 'theirs.service' }],
            held: { count: 1, digest: '0123456789abcdef', since: 5, units: ['a.service'], why: 'directory-gone' },
            isLost: true,
            isThere: false,
            lastChange: { at: 7, changed: 0, created: 1, removed: 0, units: ['a.service'] },
            problemCount: 2,
            problems: [
              { line: 3, message: '[Service] ExecStrat= is not known', source: 'a.service' },
              { message: 'no', source: 'b' },
            ],
          },
        ],
        name: 'web',
      },
    ]);
  });

  test('is empty where there are none', async () => {
    const { body } = await new TestApi().send({ url: '/fleet/v2/dirs' });
    assert.deepEqual(JSON.parse(body), { directories: [] });
  });

  test('leaves out a row that can not be read, and tells of the others', async () => {
    const api = await open();
    const key = keys.directoryHost(web, here);
    await api.store.transact({ success: [{ kind: 'put', key, value: Buffer.from('?') }] });
    const { body } = await api.send({ url: '/fleet/v2/dirs' });
    const hosts = directoriesAnswerSchema.parse(JSON.parse(body)).directories.map((each) => each.hosts.length);
    assert.deepEqual(hosts, [1, 2]);
  });

  test('costs two reads, and none of units and claims', async () => {
    const api = await open();
    const asked: string[] = [];
    const { range, transact } = api.store;
    api.store.range = (request) => {
      asked.push(request.from);
      return range.call(api.store, request);
    };
    api.store.transact = () => transact.call(api.store, { success: assert.fail('a list needs no transaction') });
    await api.send({ url: '/fleet/v2/dirs' });
    assert.deepEqual(asked.sort(), ['dir-hosts/', 'machines/']);
  });
});

describe('a directory', () => {
  test('is told of as in the list, with who wants which unit', async () => {
    const api = await open();
    const fileHashes = new Map<string, string>();
    for (const name of ['a.service', 'b.service']) {
      await api.put(name, { options: sleeper() });
      const { fileHash } = (await api.get(`/units/${name}`)) as { fileHash: string };
      fileHashes.set(name, fileHash);
      const [kv] = (await api.store.range({ from: keys.unit(parseUnitName(name)) })).kvs;
      const record = JSON.parse(Buffer.from(kv?.value ?? []).toString()) as object;
      await api.write(keys.unit(parseUnitName(name)), { ...record, owner: web });
    }
    const claim = (claimant: Claimant, name: string, file: string | undefined) =>
      api.write(keys.claim(web, claimant, parseUnitName(name)), { file, source: `${name[0]}.units` });
    await claim(here, 'a.service', fileHashes.get('a.service'));
    await claim(applyClaimant, 'a.service', fileHashes.get('a.service'));
    await claim(gone, 'a.service', 'f'.repeat(64));
    await claim(here, 'b.service', fileHashes.get('b.service'));
    await claim(gone, 'gone.service', 'f'.repeat(64));
    const { hosts, unitList } = await find(api, 'web');
    assert.deepEqual(
      hosts.map(({ claimant }) => claimant),
      ['apply', here, gone],
    );
    assert.deepEqual(unitList, [
      {
        claimants: [
          { claimant: 'apply', source: 'a.units' },
          { claimant: here, source: 'a.units' },
          { claimant: gone, isBehind: true, source: 'a.units' },
        ],
        name: 'a.service',
      },
      { claimants: [{ claimant: here, source: 'b.units' }], name: 'b.service' },
      { claimants: [{ claimant: gone, source: 'g.units' }], name: 'gone.service' },
    ]);
    assertSortedKeys((await api.send({ url: '/fleet/v2/dirs/web' })).body);
  });

  test('that nobody has is not there, and neither is one that can have no such name', async () => {
    const api = await open();
    for (const name of ['we', 'web2', 'we%20b', '.web', 'x'.repeat(64), '%00', 'web%2Flocal']) {
      const response = await api.send({ url: `/fleet/v2/dirs/${name}` });
      assert.equal(response.status, 404, name);
      // A slash is no part of a name: there is no such path.
      assert.equal(errorText(response), name.includes('%2F') ? '' : 'directory does not exist');
    }
  });
});

const orders = {
  confirm: (name: string, body: unknown = {}): TestRequest => ({
    method: 'POST',
    url: `/fleet/v2/dirs/${name}/confirm`,
    body,
  }),
};

describe('what a directory holds back', () => {
  for (const body of ['', '{}', ' { } '])
    test(`is confirmed for each host as it told of it, with body ${JSON.stringify(body)}`, async () => {
      const api = await open();
      const response = await api.send(orders.confirm('web', body));
      assert.deepEqual([response.status, JSON.parse(response.body)], [200, { hosts: [gone] }]);
      const { kvs } = await api.store.range({ from: 'dir-orders/', to: 'dir-orders0' });
      assert.deepEqual(
        kvs.map(({ key, value }) => [key, JSON.parse(Buffer.from(value).toString())]),
        [[keys.directoryOrder(web, gone), { confirm: '0123456789abcdef' }]],
      );
    });

  const refusals: readonly (readonly [says: string, request: TestRequest, status: number, text: RegExp])[] = [
    ['where nothing is', orders.confirm('local'), 409, /^nothing is held back$/],
    ['of a directory that nobody has', orders.confirm('db'), 404, /^directory does not exist$/],
    ['of what is no name', orders.confirm('d%20b'), 404, /^directory does not exist$/],
    ['with more to say', orders.confirm('web', { force: true }), 400, /nothing to say but the directory/],
    ['with no JSON', orders.confirm('web', '{'), 400, /^unable to decode body: /],
    ['of no type', { method: 'POST', url: '/fleet/v2/dirs/web/confirm' }, 415, /Content-Type/],
    ['by another method', { url: '/fleet/v2/dirs/any/confirm' }, 405, /^only POST supported/],
    ['by a wrong method of one', { method: 'DELETE', url: '/fleet/v2/dirs/web' }, 405, /^only GET supported/],
    ['by a wrong method of all', { method: 'POST', url: '/fleet/v2/dirs', body: {} }, 405, /^only GET supported/],
  ];
  for (const [says, request, status, text] of refusals)
    test(`is not confirmed ${says}`, async () => {
      const api = await open();
      const { revision } = api.store;
      const response = await api.send(request);
      assert.equal(response.status, status, response.body);
      assert.match(errorText(response), text);
      assert.equal(api.store.revision, revision);
    });
});

test('while the store is away, that is said of directories, too', async () => {
  const api = await open();
  const requests: readonly TestRequest[] = [
    { url: '/fleet/v2/dirs' },
    { url: '/fleet/v2/dirs/web' },
    orders.confirm('web'),
    { method: 'POST', url: `/fleet/v2/machines/${gone}/forget-dirs`, body: {} },
    { method: 'POST', url: '/fleet/v2/units/a.service/adopt', body: {} },
  ];
  api.store.cut();
  for (const isReady of [true, false]) {
    api.isReady = isReady;
    if (!isReady) api.store.heal();
    for (const request of requests) {
      const response = await api.send(request);
      assert.deepEqual([response.status, errorText(response)], [503, 'fleet server unable to communicate with etcd']);
    }
  }
});
