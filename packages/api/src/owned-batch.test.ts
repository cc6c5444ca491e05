import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import { applyClaimant, changeClaims, joinDirectory, keys } from '@flotilla/registry';
import { silentLogger } from '@flotilla/runtime';
import {
  type BatchAnswer,
  batchAnswerSchema,
  directoriesAnswerSchema,
  type UnitEntity,
  unitSchema,
} from '@flotilla/schema';
import { hashUnitFile, parseOwnerName, parseUnitFile, parseUnitName } from '@flotilla/unit';
import fc from 'fast-check';
import { errorText, TestApi } from './api-harness.js';
import { uncertainText } from './responses.js';

const url = '/fleet/v2/batch';
const web = parseOwnerName('web');
const host = parseMachineId('c'.repeat(32));
const text = (line: string) => `[Service]\nExecStart=/bin/${line}\n`;
const put = (name: string, unit: object = { file: text('true') }) => ({ op: 'put', unit: { name, ...unit } });
const remove = (name: string) => ({ op: 'delete', name });

async function batch(api: TestApi, operations: readonly object[], owner = 'web'): Promise<BatchAnswer['results']> {
  const { status, body } = await api.send({ method: 'POST', url, body: { operations, owner } });
  assert.equal(status, 200, body);
  return batchAnswerSchema.parse(JSON.parse(body)).results;
}

/** Status and effect of each, or the error's text. */
async function effects(api: TestApi, operations: readonly object[], owner = 'web'): Promise<readonly unknown[]> {
  return (await batch(api, operations, owner)).map(({ status, effect, error }) => [status, effect ?? error?.message]);
}

async function unitOf(api: TestApi, name: string): Promise<UnitEntity | undefined> {
  const { status, body } = await api.send({ url: `/fleet/v1/units/${name}` });
  return status === 404 ? undefined : unitSchema.parse(JSON.parse(body));
}

/** What the list of directories says about what was applied under a name. */
async function applied(api: TestApi, owner = 'web') {
  const { body } = await api.send({ url: '/fleet/v2/dirs' });
  const { directories } = directoriesAnswerSchema.parse(JSON.parse(body));
  return directories.find(({ name }) => name === owner)?.hosts.find(({ claimant }) => claimant === 'apply');
}

/** A host with a directory of the name wants the units. */
async function hostWants(api: TestApi, name: string, file: string): Promise<void> {
  const access = { store: api.store, log: silentLogger };
  const side = { owner: web, claimant: host };
  const counts = { problemCount: 0, conflictCount: 0, units: 1, pass: 1 };
  await joinDirectory(access, side, { path: '/srv', isThere: true, problems: [], conflicts: [], ...counts });
  const bytes = Buffer.from(file);
  const content = { file: bytes, hash: hashUnitFile(parseUnitFile(bytes)), isGlobal: false, isVerbatim: true };
  const change = { kind: 'hold', content, desiredState: 'launched', source: name } as const;
  await changeClaims(access, side, new Map([[parseUnitName(name), change]]));
}

describe('a batch for an owner', () => {
  test('makes units its own, and has them run unless they are templates, or it says otherwise', async () => {
    const api = new TestApi();
    assert.deepEqual(
      await effects(api, [
        put('a.service'),
        put('t@.service'),
        put('t@1.service'),
        put('idle.service', { file: text('true'), desiredState: 'inactive' }),
        put('o.service', { options: [{ section: 'Service', name: 'ExecStart', value: '/bin/true' }] }),
      ]),
      Array.from({ length: 5 }, () => [201, 'created']),
    );
    const states: unknown[] = [];
    for (const name of ['a.service', 't@.service', 't@1.service', 'idle.service', 'o.service']) {
      const unit = await unitOf(api, name);
      assert.equal(unit?.owner, 'web', name);
      states.push(unit?.desiredState);
    }
    assert.deepEqual(states, ['launched', 'inactive', 'launched', 'inactive', 'launched']);
  });

  test('writes nothing for what is so already, and says what it has changed', async () => {
    const api = new TestApi();
    const both = [put('a.service'), put('b.service')];
    await batch(api, both);
    const { revision } = api.store;
    assert.deepEqual(await effects(api, both), [
      [204, 'unchanged'],
      [204, 'unchanged'],
    ]);
    assert.equal(api.store.revision, revision);
    assert.deepEqual(await effects(api, [put('a.service'), put('b.service', { file: text('false') })]), [
      [204, 'unchanged'],
      [201, 'replaced'],
    ]);
    assert.deepEqual(await effects(api, [put('b.service', { file: `# why\n${text('false')}` })]), [[204, 'updated']]);
    assert.equal((await unitOf(api, 'b.service'))?.file, `# why\n${text('false')}`);
  });

  test('leaves alone what others have started or stopped, as long as the file is the same', async () => {
    const api = new TestApi();
    await batch(api, [put('a.service')]);
    assert.equal(await api.put('a.service', { desiredState: 'loaded' }), 204);
    assert.deepEqual(await effects(api, [put('a.service')]), [[204, 'unchanged']]);
    assert.equal((await unitOf(api, 'a.service'))?.desiredState, 'loaded');
    await batch(api, [put('a.service', { file: text('false') })]);
    assert.equal((await unitOf(api, 'a.service'))?.desiredState, 'launched');
  });

  test('puts a unit back that others have changed after it was adopted, or destroyed', async () => {
    const api = new TestApi();
    await batch(api, [put('a.service')]);
    await api.send({ method: 'POST', url: '/fleet/v2/units/a.service/adopt', body: {} });
    assert.equal((await api.send({ method: 'DELETE', url: '/fleet/v1/units/a.service' })).status, 204);
    assert.deepEqual(await effects(api, [put('a.service')]), [[201, 'created']]);
  });

  test('destroys what nobody wants any more, and keeps what a host wants or others have', async () => {
    const api = new TestApi();
    await batch(api, [put('a.service'), put('b.service'), put('c.service')]);
    await hostWants(api, 'b.service', text('true'));
    await api.put('mine.service', { file: text('true') });
    await batch(api, [put('theirs.service')], 'db');
    await api.send({ method: 'POST', url: '/fleet/v2/units/c.service/adopt', body: {} });
    const names = ['a.service', 'b.service', 'c.service', 'mine.service', 'theirs.service', 'never.service'];
    assert.deepEqual(await effects(api, names.map(remove)), [
      [204, 'destroyed'],
      [204, 'kept'],
      [204, 'kept'],
      [204, 'kept'],
      [204, 'kept'],
      [204, 'kept'],
    ]);
    const left = await Promise.all(names.map((name) => unitOf(api, name)));
    assert.deepEqual(
      left.flatMap((unit) => (unit === undefined ? [] : [unit.name])),
      ['b.service', 'c.service', 'mine.service', 'theirs.service'],
    );
  });

  test('destroys what is the owner’s and was never applied, unless a host wants it', async () => {
    const api = new TestApi();
    for (const name of ['a.service', 'b.service']) {
      await api.put(name, { file: text('true') });
      await api.send({ method: 'POST', url: `/fleet/v2/units/${name}/adopt`, body: { owner: 'web' } });
    }
    await hostWants(api, 'b.service', text('true'));
    assert.deepEqual(await effects(api, [remove('a.service'), remove('b.service')]), [
      [204, 'destroyed'],
      [204, 'kept'],
    ]);
  });

  test('does not touch what is somebody else’s, and says whose it is and what to do', async () => {
    const api = new TestApi();
    await api.put('mine.service', { file: text('true') });
    await batch(api, [put('theirs.service')], 'db');
    const units = await api.get('/units');
    assert.deepEqual(await effects(api, [put('mine.service'), put('theirs.service'), put('new.service')]), [
      [409, 'unit belongs to no directory: fleetctl adopt --owner web mine.service gives it to one'],
      [
        409,
        'unit is owned by the directory "db": change or remove its file there, or run fleetctl adopt --owner web theirs.service first',
      ],
      [201, 'created'],
    ]);
    await batch(api, [remove('new.service')]);
    assert.deepEqual(await api.get('/units'), units);
  });

  test('refuses each unit that is none, and does the rest', async () => {
    const api = new TestApi();
    const large = `${text('true')}${'# a long comment\n'.repeat(70_000)}`;
    const results = await batch(api, [
      put('a b.service'),
      put('empty.service', {}),
      put('state.service', { desiredState: 'launched' }),
      put('word.service', { file: text('true'), desiredState: 'running' }),
      put('t@.service', { file: text('true'), desiredState: 'launched' }),
      put('bad.service', { file: '[Service]\nExecStart' }),
      put('large.service', { file: large }),
      put('unknown.service', { file: `${text('true')}[X-Fleet]\nMachineOff=a\n` }),
      remove('not a name'),
      put('good.service'),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      [400, 400, 400, 400, 400, 400, 413, 400, 404, 201],
    );
    const texts = results.map(({ error }) => error?.message ?? '');
    assert.match(texts[1] ?? '', /^options and file are empty/);
    assert.equal(texts[4], 'cannot activate template "t@.service"');
    assert.match(texts[5] ?? '', /^bad\.service:2: /);
    assert.match(texts[7] ?? '', /^unknown\.service:4: .*MachineOf=/);
  });

  test('ends as its operations do one by one, however it is split', async () => {
    const operation = fc.oneof(
      fc.record({ name: fc.constantFrom('a', 'b', 't@', 't@1', 'mine'), line: fc.constantFrom('true', 'false') }),
      fc.record({ name: fc.constantFrom('a', 'b', 't@', 'mine') }),
    );
    const some = fc.uniqueArray(operation, { minLength: 1, maxLength: 5, selector: ({ name }) => name });
    const turn = fc.record({ owner: fc.constantFrom('web', 'db'), operations: some });
    const toOperation = (of: { readonly name: string; readonly line?: string }) =>
      of.line === undefined ? remove(`${of.name}.service`) : put(`${of.name}.service`, { file: text(of.line) });
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 4 }), async (turns) => {
        const [api, other] = [new TestApi(), new TestApi()];
        for (const each of [api, other]) await each.put('mine.service', { file: text('true') });
        for (const { owner, operations } of turns) {
          const together = await effects(api, operations.map(toOperation), owner);
          const alone: unknown[] = [];
          for (const each of operations) alone.push(...(await effects(other, [toOperation(each)], owner)));
          assert.deepEqual(together, alone);
        }
        assert.deepEqual(await api.get('/units'), await other.get('/units'));
        for (const owner of ['web', 'db'])
          assert.equal((await applied(api, owner))?.units, (await applied(other, owner))?.units);
      }),
      { numRuns: 30 },
    );
  });

  for (const owner of ['', '.web', 'a b', 'a/b', 'x'.repeat(64), 'ä'])
    test(`is refused as a whole for ${JSON.stringify(owner)}, which is no name`, async () => {
      const api = new TestApi();
      const body = { operations: [put('a.service')], owner };
      const response = await api.send({ method: 'POST', url, body });
      assert.equal(response.status, 400);
      assert.match(errorText(response), /^not a name for an owner: ".*" \(Up to 63 of/);
      assert.equal(api.store.revision, new TestApi().store.revision);
    });

  test('is told that the store is away, is full, or that nobody knows', async () => {
    const api = new TestApi();
    const both = [put('a.service'), remove('b.service'), put('c d.service')];
    api.store.cut();
    const away = [503, 'fleet server unable to communicate with etcd'];
    assert.deepEqual(await effects(api, both), [away, away, [400, "invalid character ' ' in unit name"]]);
    assert.deepEqual(await effects(api, [remove('b.service')]), [away]);
    api.store.heal();
    api.store.loseNextRequest();
    assert.deepEqual(await effects(api, [put('a.service')]), [[500, uncertainText]]);
    assert.deepEqual(await effects(api, [put('a.service')]), [[201, 'created']]);
  });

  test('is told to try again if the last of what was applied goes at that moment', async () => {
    const api = new TestApi();
    const { transact } = api.store;
    api.store.transact = async (transaction) => {
      api.store.transact = transact;
      const result = await api.store.transact(transaction);
      const from = keys.directoryHost(web, applyClaimant);
      await api.store.transact({ success: [{ kind: 'delete', from }] });
      return result;
    };
    assert.deepEqual(await effects(api, [put('a.service')]), [[409, 'unit is being changed by others: try again']]);
    assert.deepEqual(await effects(api, [put('a.service')]), [[201, 'created']]);
  });

  test('of 1,000 units is a few transactions', async () => {
    const api = new TestApi();
    const units = Array.from({ length: 1_000 }, (_, at) => put(`u@${at}.service`));
    const { transact } = api.store;
    let transactions = 0;
    api.store.transact = (transaction) => {
      transactions++;
      return transact.call(api.store, transaction);
    };
    const count = async (operations: readonly object[], effect: string) => {
      transactions = 0;
      const results = await batch(api, operations);
      assert.deepEqual(new Set(results.map((result) => result.effect)), new Set([effect]));
      return transactions;
    };
    const counts = [
      await count(units, 'created'),
      await count(units, 'unchanged'),
      await count(
        units.map(({ unit }) => remove(unit.name)),
        'destroyed',
      ),
    ];
    assert.ok(Math.max(...counts) <= 50, counts.join(', '));
  });
});

describe('what was applied', () => {
  test('is told of beside what hosts have: how much there is, and what changed last', async () => {
    const api = new TestApi();
    await api.clock.advance(5_000);
    const at = api.clock.now();
    await batch(api, [put('a.service'), put('b.service')]);
    const made = { at, changed: 0, created: 2, removed: 0, units: ['a.service', 'b.service'] };
    assert.deepEqual(await applied(api), {
      claimant: 'apply',
      conflictCount: 0,
      conflicts: [],
      isThere: true,
      lastChange: made,
      path: '',
      problemCount: 0,
      problems: [],
      units: 2,
    });
    await api.clock.advance(5_000);
    await batch(api, [put('a.service'), put('b.service')]);
    assert.deepEqual((await applied(api))?.lastChange, made);
    await batch(api, [remove('a.service'), put('b.service', { file: text('false') }), put('c.service')]);
    const row = await applied(api);
    assert.equal(row?.units, 2);
    assert.deepEqual(row?.lastChange, {
      at: at + 5_000,
      changed: 1,
      created: 1,
      removed: 1,
      units: ['a.service', 'b.service', 'c.service'],
    });
  });

  test('counts other comments as a change', async () => {
    const api = new TestApi();
    await batch(api, [put('a.service')]);
    await batch(api, [put('a.service', { file: `# why\n${text('true')}` })]);
    assert.equal((await applied(api))?.lastChange?.changed, 1);
  });

  test('counts what was only adopted, and claimed then', async () => {
    const api = new TestApi();
    await api.put('a.service', { file: text('true') });
    await api.send({ method: 'POST', url: '/fleet/v2/units/a.service/adopt', body: { owner: 'web' } });
    assert.deepEqual(await effects(api, [put('a.service')]), [[204, 'unchanged']]);
    const row = await applied(api);
    assert.deepEqual([row?.units, row?.lastChange], [1, undefined]);
  });

  test('is gone with the last unit, and does not come by what is refused or not wanted', async () => {
    const api = new TestApi();
    await api.put('mine.service', { file: text('true') });
    await batch(api, [put('mine.service')]);
    assert.equal(await applied(api), undefined);
    const { revision } = api.store;
    await batch(api, [remove('never.service')], 'nobody');
    assert.equal(api.store.revision, revision);
    await batch(api, [put('a.service')]);
    assert.equal((await applied(api))?.units, 1);
    await batch(api, [remove('a.service')]);
    assert.equal(await applied(api), undefined);
    const { kvs } = await api.store.range({ from: keys.directoryOwner(web) });
    assert.equal(kvs.length, 1);
  });
});
