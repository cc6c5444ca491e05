import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import { applyClaimant, changeClaims, joinDirectory, keys } from '@flotilla/registry';
import { silentLogger } from '@flotilla/runtime';
import { adoptUnitAnswerSchema, forgetDirectoriesAnswerSchema, unitSchema } from '@flotilla/schema';
import { hashUnitFile, parseOwnerName, parseUnitFile, parseUnitName } from '@flotilla/unit';
import { errorText, sleeper, TestApi, type TestRequest } from './api-harness.js';

const here = parseMachineId('a'.repeat(32));
const gone = parseMachineId('b'.repeat(32));
const adopt = (name: string, body: unknown = {}): TestRequest => ({
  method: 'POST',
  url: `/fleet/v2/units/${name}/adopt`,
  body,
});
const forget = (id: string, body: unknown = {}): TestRequest => ({
  method: 'POST',
  url: `/fleet/v2/machines/${id}/forget-dirs`,
  body,
});

type Refusals = readonly (readonly [says: string, request: TestRequest, status: number, text: RegExp])[];

function describeRefusals(open: () => Promise<TestApi>, refusals: Refusals): void {
  for (const [says, request, status, text] of refusals)
    test(`refused: ${says}`, async () => {
      const api = await open();
      const { revision } = api.store;
      const response = await api.send(request);
      assert.equal(response.status, status, response.body);
      assert.match(errorText(response), text);
      assert.equal(api.store.revision, revision);
    });
}

describe('a unit is adopted', () => {
  const open = async () => {
    const api = new TestApi();
    await api.put('a.service', { options: sleeper(), desiredState: 'launched' });
    return api;
  };
  const give = async (api: TestApi, body: unknown) => {
    const response = await api.send(adopt('a.service', body));
    assert.equal(response.status, 200, response.body);
    return adoptUnitAnswerSchema.strict().parse(JSON.parse(response.body));
  };
  const ownerOf = async (api: TestApi) => unitSchema.parse(await api.get('/units/a.service'));

  test('by an owner and by the API’s users, and goes on as it is', async () => {
    const api = await open();
    const before = await ownerOf(api);
    assert.deepEqual(await give(api, { owner: 'web' }), { owner: 'web' });
    assert.deepEqual(await ownerOf(api), { ...before, owner: 'web' });
    assert.equal(await api.put('a.service', { options: sleeper(2) }), 409);
    assert.deepEqual(await give(api, { owner: 'db' }), { former: 'web', owner: 'db' });
    assert.deepEqual(await give(api, ''), { former: 'db' });
    assert.deepEqual(await ownerOf(api), before);
    assert.equal(await api.put('a.service', { options: sleeper(2) }), 201);
  });

  test('by whom it has already, without a write', async () => {
    const api = await open();
    await give(api, { owner: 'web' });
    const { revision } = api.store;
    assert.deepEqual(await give(api, { owner: 'web' }), { former: 'web', owner: 'web' });
    assert.equal(api.store.revision, revision);
  });

  describeRefusals(open, [
    ['a unit that nobody knows', adopt('x.service'), 404, /^unit does not exist$/],
    ['what is no name of a unit', adopt('x%20y', { owner: 'web' }), 404, /^unit does not exist$/],
    ['what is no name of an owner', adopt('a.service', { owner: 'a/b' }), 400, /^not a name for an owner: "a\/b" \(Up/],
    ['an empty name', adopt('a.service', { owner: '' }), 400, /^not a name for an owner: "" \(Up/],
    ['a name that is no text', adopt('a.service', { owner: 7 }), 400, /^unable to decode body: owner: /],
    [
      'a body that says more',
      adopt('a.service', { owner: 'web', force: true }),
      400,
      /^unable to decode body: .*force/,
    ],
    ['what is no JSON', adopt('a.service', '{'), 400, /^unable to decode body: /],
    ['no type of content', { method: 'POST', url: '/fleet/v2/units/a.service/adopt' }, 415, /Content-Type/],
    ['another method', { url: '/fleet/v2/units/a.service/adopt' }, 405, /^only POST supported/],
  ]);
});

describe('the directories of a machine are forgotten', () => {
  const web = parseOwnerName('web');
  /** `both` is wanted by a machine that is gone and by one that is not, `only` by the former. */
  const open = async () => {
    const api = new TestApi();
    const access = { store: api.store, log: silentLogger };
    const bytes = Buffer.from('[Service]\nExecStart=/bin/true\n');
    const content = { file: bytes, hash: hashUnitFile(parseUnitFile(bytes)), isGlobal: false, isVerbatim: true };
    const hold = { kind: 'hold', content, desiredState: 'launched', source: 'x' } as const;
    const counts = { problemCount: 0, conflictCount: 0, units: 1, pass: 1 };
    const row = { path: '/srv', isThere: true, problems: [], conflicts: [], ...counts };
    for (const [id, names] of [
      [here, ['both.service']],
      [gone, ['both.service', 'only.service']],
    ] as const) {
      const side = { owner: web, claimant: id };
      await joinDirectory(access, side, row);
      await changeClaims(access, side, new Map(names.map((name) => [parseUnitName(name), hold])));
    }
    await api.write(keys.machine(here), { address: '', metadata: {}, version: '' });
    return api;
  };
  const expected = { directories: [{ destroyed: ['only.service'], kept: 1, name: 'web' }] };
  const answer = async (api: TestApi, body: unknown) => {
    const response = await api.send(forget(gone, body));
    assert.equal(response.status, 200, response.body);
    return forgetDirectoriesAnswerSchema.parse(JSON.parse(response.body));
  };
  const statuses = async (api: TestApi) => {
    const found = await Promise.all(
      ['both', 'only'].map((name) => api.send({ url: `/fleet/v1/units/${name}.service` })),
    );
    return found.map(({ status }) => status);
  };

  test('and what nobody else wants is destroyed, as was said before', async () => {
    const api = await open();
    const { revision } = api.store;
    assert.deepEqual(await answer(api, { dryRun: true }), expected);
    assert.equal(api.store.revision, revision);
    assert.deepEqual(await answer(api, ''), expected);
    assert.deepEqual(await statuses(api), [200, 404]);
    assert.equal((await api.send(forget(gone))).status, 404);
    const { body } = await api.send({ url: '/fleet/v2/dirs' });
    assert.match(body, new RegExp(here));
    assert.doesNotMatch(body, new RegExp(gone));
  });

  test('not while others keep changing its units: that is said', async () => {
    const api = await open();
    const { transact } = api.store;
    api.store.transact = async (transaction) => {
      const isDrop = transaction.success.some((each) => each.kind === 'delete' && each.from.startsWith('dirs/'));
      return transact.call(api.store, isDrop ? { success: [] } : transaction).then((result) => ({
        ...result,
        succeeded: result.succeeded && !isDrop,
      }));
    };
    const response = await api.send(forget(gone));
    assert.equal(response.status, 409);
    assert.match(errorText(response), /\.service is being changed by others: try again$/);
    assert.deepEqual(await statuses(api), [200, 200]);
  });

  describeRefusals(open, [
    ['a machine that is there', forget(here), 409, /^machine is in the cluster: /],
    ['a machine that is there, to be told what would be', forget(here, { dryRun: true }), 409, /^machine is in the/],
    ['a machine that wants nothing', forget('c'.repeat(32)), 404, /^no directory has anything of such a machine$/],
    ['what is no machine', forget('%20'), 404, /^no directory has anything of such a machine$/],
    ['what was applied', forget(applyClaimant), 404, /^no directory has anything of such a machine$/],
    ['a word for dryRun', forget(gone, { dryRun: 'yes' }), 400, /^unable to decode body: dryRun: /],
    ['a body that says more', forget(gone, { dryrun: true }), 400, /^unable to decode body: .*dryrun/],
    ['what is no JSON', forget(gone, '{'), 400, /^unable to decode body: /],
    ['no type of content', { method: 'POST', url: `/fleet/v2/machines/${gone}/forget-dirs` }, 415, /Content-Type/],
    ['another method', { url: `/fleet/v2/machines/${gone}/forget-dirs` }, 405, /^only POST supported/],
  ]);
});
