import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { parseOwnerName, parseUnitName } from '@flotilla/unit';
import { applyClaimant } from './claimant.js';
import { changeClaims } from './claims.js';
import { contentOf, emptyRow } from './claims-cluster.js';
import {
  joinDirectory,
  listDirectories,
  readClaims,
  removeDirectoryHost,
  writeDirectoryHost,
} from './directory-hosts.js';
import { deleteDirectoryOrder, orderConfirm, readDirectoryOrder } from './directory-orders.js';
import type { DirectoryHostRecord } from './directory-records.js';
import { keys } from './keys.js';
import { MemoryStore } from './memory-store.js';
import { readOwnedUnits } from './owned-units.js';
import { fileKeyOf } from './unit-write.js';

const [local, site] = [parseOwnerName('local'), parseOwnerName('site')];
const [a, b] = [parseMachineId('a'.repeat(32)), parseMachineId('b'.repeat(32))];
const [web, db] = [parseUnitName('web.service'), parseUnitName('db.service')];

function setUp() {
  const store = new MemoryStore({ clock: new TestClock() });
  const access = { store, log: silentLogger };
  const claim = (claimant: typeof a | typeof applyClaimant, file: string, names = [web]) =>
    changeClaims(
      access,
      { owner: local, claimant },
      new Map(
        names.map((name) => [
          name,
          {
            kind: 'hold',
            content: contentOf(file),
            desiredState: 'launched',
            source: `${name} of ${claimant.slice(0, 2)}`,
          },
        ]),
      ),
    );
  return { store, access, claim };
}

test('a claimant joins once, in one revision with what hosts follow', async () => {
  const { store, access } = setUp();
  const side = { owner: local, claimant: a };
  assert.equal(await writeDirectoryHost(access, side, emptyRow), 'absent');
  assert.equal(await joinDirectory(access, side, { ...emptyRow, path: '/one' }), undefined);
  const revision = store.revision;
  for (const from of [keys.directoryHost(local, a), keys.directoryOwner(local)])
    assert.equal((await store.range({ from })).kvs[0]?.modRevision, revision);
  assert.equal((await joinDirectory(access, side, { ...emptyRow, path: '/other' }))?.path, '/one');
  assert.equal(store.revision, revision);
  assert.equal(await writeDirectoryHost(access, side, { ...emptyRow, path: '/two' }), 'written');
  assert.equal((await store.range({ from: keys.directoryOwner(local) })).kvs[0]?.modRevision, revision);
});

test('a row goes only when nothing is claimed', async () => {
  const { access, store, claim } = setUp();
  const side = { owner: local, claimant: a };
  await joinDirectory(access, side, emptyRow);
  await claim(a, 'a1');
  assert.equal(await removeDirectoryHost(access, side), 'claims');
  assert.equal((await listDirectories(access)).length, 1);
  await changeClaims(access, side, new Map([[web, { kind: 'drop' }]]));
  assert.equal(await removeDirectoryHost(access, side), 'removed');
  assert.deepEqual(await listDirectories(access), []);
  assert.equal((await store.range({ from: keys.directoryOwner(local) })).kvs.length, 1);
});

test('claimants are listed by owner; a row that can’t be read is left out', async () => {
  const { access, store } = setUp();
  const sides = [
    { owner: local, claimant: applyClaimant },
    { owner: local, claimant: a },
    { owner: site, claimant: b },
  ] as const;
  for (const side of sides) await joinDirectory(access, side, emptyRow);
  const listed = (await listDirectories(access)).map(({ owner, claimant }) => ({ owner, claimant }));
  assert.deepEqual(listed, sides);
  await store.transact({ success: [{ kind: 'put', key: keys.directoryHost(local, a), value: Buffer.from('?') }] });
  assert.deepEqual(
    (await listDirectories(access, local)).map(({ claimant }) => claimant),
    [applyClaimant],
  );
});

test('the units of an owner are told with all who claim them, and with the file that counts', async () => {
  const { access, claim } = setUp();
  for (const claimant of [a, b]) await joinDirectory(access, { owner: local, claimant }, emptyRow);
  await claim(a, 'a1', [web, db]);
  await claim(b, 'b1');
  const [first, second] = [fileKeyOf(contentOf('a1')), fileKeyOf(contentOf('b1'))];
  assert.deepEqual(await readOwnedUnits(access, local), [
    { name: db, file: first, claimants: [{ claimant: a, file: first, source: 'db.service of aa' }] },
    {
      name: web,
      file: first,
      claimants: [
        { claimant: a, file: first, source: 'web.service of aa' },
        { claimant: b, file: second, source: 'web.service of bb' },
      ],
    },
  ]);
  assert.deepEqual(await readOwnedUnits(access, site), []);
  assert.deepEqual([...(await readClaims(access, { owner: local, claimant: b })).keys()], [web]);
});

test('what hosts hold back is confirmed as they have told of it; an order that came later is not taken away', async () => {
  const { access } = setUp();
  assert.deepEqual(await orderConfirm(access, local), { kind: 'absent' });
  const held = { why: 'most-gone', since: 0, units: [], count: 3 } as const;
  const rows: readonly (readonly [typeof a, DirectoryHostRecord])[] = [
    [a, { ...emptyRow, held: { ...held, digest: 'one' } }],
    [b, emptyRow],
  ];
  for (const [claimant] of rows) await joinDirectory(access, { owner: local, claimant }, emptyRow);
  assert.deepEqual(await orderConfirm(access, local), { kind: 'nothing-held' });
  for (const [claimant, row] of rows) await writeDirectoryHost(access, { owner: local, claimant }, row);
  assert.deepEqual(await orderConfirm(access, local), { kind: 'ordered', hosts: [a] });
  assert.equal(await readDirectoryOrder(access, local, b), undefined);
  const first = await readDirectoryOrder(access, local, a);
  assert.deepEqual(first?.record, { confirm: 'one' });
  await orderConfirm(access, local);
  await deleteDirectoryOrder(access, { owner: local, machine: a }, first);
  const second = await readDirectoryOrder(access, local, a);
  assert.ok(second !== undefined);
  await deleteDirectoryOrder(access, { owner: local, machine: a }, second);
  assert.equal(await readDirectoryOrder(access, local, a), undefined);
  await orderConfirm(access, local);
  await removeDirectoryHost(access, { owner: local, claimant: a });
  assert.equal(await readDirectoryOrder(access, local, a), undefined);
});
