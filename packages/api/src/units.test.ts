import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keys } from '@flotilla/registry';
import { unitPageSchema, unitSchema } from '@flotilla/schema';
import { parseUnitName } from '@flotilla/unit';
import { errorText, sleeper, TestApi } from './api-harness.js';

const url = '/fleet/v1/units/a.service';
const global = [...sleeper(), { section: 'X-Fleet', name: 'Global', value: 'true' }];

describe('PUT units/<name> is refused', () => {
  const rows: readonly {
    says: string;
    body: unknown;
    url?: string;
    status?: number;
    text: string | RegExp;
    types?: string[];
  }[] = [
    { says: 'without a type', body: {}, types: [], status: 415, text: 'expected 1 Content-Type, got 0' },
    {
      says: 'with two types',
      body: {},
      types: ['application/json', 'application/json'],
      status: 415,
      text: 'expected 1 Content-Type, got 2',
    },
    {
      says: 'with another type',
      body: {},
      types: ['Application/JSON'],
      status: 415,
      text: 'only acceptable Content-Type is application/json',
    },
    { says: 'without a body', body: '', text: 'unable to decode body: EOF' },
    { says: 'with null among the options', body: { options: [null] }, text: /^unable to decode body: options\.0: / },
    {
      says: 'under another name',
      body: { name: 'b.service' },
      text: 'name in URL "a.service" differs from unit name in request body "b.service"',
    },
    {
      says: 'with a blank in its name',
      body: {},
      url: '/fleet/v1/units/a%20b.service',
      text: "invalid character ' ' in unit name",
    },
    {
      says: 'with too long a name',
      body: {},
      url: `/fleet/v1/units/${'a'.repeat(257)}.service`,
      text: 'unit name exceeds maximum length (256)',
    },
    { says: 'in a state that is none', body: { desiredState: 'running' }, text: /^invalid desired state "running"/ },
    {
      says: 'if it is new and has no options',
      body: { desiredState: 'loaded' },
      status: 409,
      text: 'unit does not exist and options field empty',
    },
    {
      says: 'if it is new and empty',
      body: { file: '', options: [] },
      status: 409,
      text: 'unit does not exist and options field empty',
    },
    {
      says: 'with nothing but a comment',
      body: { file: '# a comment\n' },
      text: 'a.service: the unit file has no options',
    },
    {
      says: 'with a newline in a value',
      body: { options: [{ section: 'S', name: 'n', value: 'a\nb=c' }] },
      text: /newline/,
    },
    {
      says: 'with requirements that exclude each other',
      body: { options: [...global, { section: 'X-Fleet', name: 'MachineID', value: 'm1' }] },
      text: /MachineID cannot be used with Global/,
    },
    {
      says: 'with an unknown requirement',
      body: { file: '[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineId=x\n' },
      text: /^a\.service:4: .*MachineId=/,
    },
    {
      says: 'with metadata that are no test, in a file',
      body: { file: '[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineMetadata=a=b c=d\n' },
      text: /^a\.service:4: \[X-Fleet\] MachineMetadata= wants key=value .* in double quotes$/,
    },
    {
      says: 'with metadata that are no test, among the options',
      body: { options: [...sleeper(), { section: 'X-Fleet', name: 'MachineMetadata', value: 'a=' }] },
      text: /^a\.service: \[X-Fleet\] MachineMetadata= wants key=value .* has "a="$/,
    },
    {
      says: 'with tests that no machine passes',
      body: { options: [...sleeper(), { section: 'X-Fleet', name: 'MachineMetadata', value: '"a=b" "!a"' }] },
      text: /^a\.service: \[X-Fleet\] MachineMetadata= can't be fulfilled: .*"a=b" and "!a"$/,
    },
    {
      says: 'as its own peer, once its specifiers are replaced',
      body: { file: '[X-Fleet]\nMachineOf=%p.service\n' },
      text: /^a\.service:2: \[X-Fleet\] MachineOf= names the unit itself/,
    },
    {
      says: 'with instances to spread, and is none',
      body: { file: '[X-Fleet]\nSpreadOver=az\n' },
      text: /^a\.service:2: \[X-Fleet\] SpreadOver= /,
    },
    {
      says: 'with too long a line, wherever it stands',
      body: { file: `[Service]\n${'# short\n'.repeat(600)}ExecStart=/bin/${'x'.repeat(2048)}\n` },
      text: /^a\.service:602: \[Service\] line too long \(max 2048 bytes\)$/,
    },
    {
      says: 'with too long an option',
      body: { options: [{ section: 'Service', name: 'ExecStart', value: 'x'.repeat(2048) }] },
      text: 'a.service: [Service] ExecStart= line too long (max 2048 bytes)',
    },
    {
      says: 'with options that the file does not have',
      body: { options: sleeper(), file: '[Service]\nExecStart=/bin/true\n' },
      text: 'a.service: file and options say different things',
    },
    {
      says: 'if it is larger than is kept',
      body: { file: `[Service]\nExecStart=/bin/true\n${'# a long comment\n'.repeat(70_000)}` },
      status: 413,
      text: /larger than 1048576 bytes/,
    },
    {
      says: 'to run if it is a template',
      body: { options: sleeper(), desiredState: 'launched' },
      url: '/fleet/v1/units/a@.service',
      text: 'cannot activate template "a@.service"',
    },
  ];
  for (const row of rows)
    for (const isNew of [true, false]) {
      if (!isNew && row.status === 409) continue;
      test(`${row.says}, ${isNew ? 'new' : 'or not'}`, async () => {
        const api = new TestApi();
        if (!isNew)
          for (const name of ['a.service', 'a@.service'])
            assert.equal(await api.put(name, { options: sleeper(9) }), 201);
        const before = api.store.revision;
        const headers = { 'content-type': row.types ?? ['application/json; charset=utf-8'] };
        const response = await api.send({ method: 'PUT', url: row.url ?? url, headers, body: row.body });
        const text = errorText(response);
        assert.equal(response.status, row.status ?? 400, text);
        if (typeof row.text === 'string') assert.equal(text, row.text);
        else assert.match(text, row.text);
        assert.equal(api.store.revision, before);
      });
    }

  test('with the content that it has and no state', async () => {
    const api = new TestApi();
    await api.put('a.service', { options: sleeper() });
    const response = await api.send({ method: 'PUT', url, body: { options: sleeper() } });
    assert.deepEqual(
      [response.status, errorText(response)],
      [409, 'must provide DesiredState to update existing unit'],
    );
  });
});

describe('a unit', () => {
  test('goes through its life', async () => {
    const api = new TestApi();
    const created = await api.send({ method: 'PUT', url, body: { options: sleeper() } });
    assert.deepEqual(created, { status: 201, headers: { Server: 'fleetd/1.2.3' }, body: '' });
    assert.equal(await api.put('a.service', { desiredState: 'launched' }), 204);
    const states: unknown[] = [];
    const look = async () => states.push(unitSchema.parse(await api.get('/units/a.service')).currentState);
    await look();
    await api.place('a.service', 'm1');
    await api.reportState('a.service', 'm1', { order: 0, isLaunched: false, active: 'inactive' });
    await look();
    await api.reportState('a.service', 'm1');
    await look();
    assert.deepEqual(states, ['inactive', 'loaded', 'launched']);
    assert.equal(await api.put('a.service', { options: sleeper(2) }), 201);
    const replaced = unitSchema.parse(await api.get('/units/a.service'));
    assert.deepEqual([replaced.desiredState, replaced.machineID], ['inactive', 'm1']);
    const destroyed = await api.send({ method: 'DELETE', url });
    assert.deepEqual([destroyed.status, destroyed.body], [204, '']);
    assert.equal((await api.send({ url })).status, 404);
  });

  test('is launched again only when another start has been carried out', async () => {
    const api = new TestApi();
    await api.put('a.service', { options: sleeper(), desiredState: 'launched' });
    await api.place('a.service', 'm1');
    const current = async () => unitSchema.parse(await api.get('/units/a.service')).currentState;
    await api.reportState('a.service', 'm1', { active: 'failed' });
    assert.equal(await current(), 'launched');
    assert.equal(await api.put('a.service', { desiredState: 'launched' }), 204);
    assert.equal(await current(), 'loaded');
    await api.reportState('a.service', 'm1', { order: 2 });
    assert.equal(await current(), 'launched');
    const before = api.store.revision;
    assert.equal(await api.put('a.service', { desiredState: 'launched' }), 204);
    assert.equal(api.store.revision, before);
  });

  test('comes back byte for byte, and in canonical form where nobody wrote it', async () => {
    const api = new TestApi();
    const file = '\ufeff# why: ☃\r\n[Service]\r\nExecStart = /bin/sleep 1 \r\n\r\n';
    await api.put('a.service', { file });
    const unit = unitSchema.parse(await api.get('/units/a.service'));
    assert.equal(unit.file, file);
    assert.deepEqual(unit.options, [{ name: 'ExecStart', section: 'Service', value: '/bin/sleep 1' }]);
    await api.put('b.service', { options: sleeper() });
    assert.equal(unitSchema.parse(await api.get('/units/b.service')).file, '[Service]\nExecStart=/bin/sleep 1\n');
  });

  test('may ask for what is not known, if whoever puts it allows that', async () => {
    const api = new TestApi();
    const file = '[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineId=x\n';
    assert.equal(await api.put('a.service', { file }), 400);
    assert.equal(await api.put('a.service', { file, allowUnknown: true }), 201);
    const operations = [{ op: 'put', unit: { name: 'b.service', file, allowUnknown: true } }];
    const { body } = await api.send({ method: 'POST', url: '/fleet/v2/batch', body: { operations } });
    assert.deepEqual(JSON.parse(body), { results: [{ effect: 'created', name: 'b.service', status: 201 }] });
    const excluded = `${file}Global=true\nMachineID=x\n`;
    assert.equal(await api.put('a.service', { file: excluded, allowUnknown: true }), 400);
  });

  test('keeps its state when only comments change', async () => {
    const api = new TestApi();
    await api.put('a.service', { options: sleeper(), desiredState: 'loaded' });
    const file = '# better\n[Service]\nExecStart=/bin/sleep 1\n';
    assert.equal(await api.put('a.service', { file, options: sleeper() }), 204);
    const unit = unitSchema.parse(await api.get('/units/a.service'));
    assert.deepEqual([unit.file, unit.desiredState], [file, 'loaded']);
  });

  test('says in alphabetical order what there is to say, and why it waits', async () => {
    const api = new TestApi();
    await api.put('a.service', { options: [{ section: 'Service', name: 'ExecStart' }], desiredState: 'loaded' });
    await api.write(keys.reason(parseUnitName('a.service')), { since: 1, machines: 0, misfits: {} });
    const { headers, body } = await api.send({ url: '/v1-alpha/units/a.service?alt=json' });
    assert.deepEqual(headers, { Server: 'fleetd/1.2.3', 'Content-Type': 'application/json' });
    assert.equal(
      body,
      '{"currentState":"inactive","desiredState":"loaded","file":"[Service]\\nExecStart=\\n","fileHash":"98beec730620767f579f6bb6d1410a38695b59325f45c4075778daa669896acc","name":"a.service","options":[{"name":"ExecStart","section":"Service"}],"reason":"there is no machine","waitingSince":1}',
    );
  });

  test('that is global is inactive and nowhere, alone as in the list', async () => {
    const api = new TestApi();
    await api.put('a.service', { options: global, desiredState: 'launched' });
    await api.place('a.service', 'm1');
    await api.reportState('a.service', 'm1');
    const { file: _, ...alone } = unitSchema.parse(await api.get('/units/a.service'));
    assert.deepEqual([alone.currentState, alone.machineID], ['inactive', undefined]);
    assert.deepEqual(unitPageSchema.parse(await api.get('/units')).units, [alone]);
  });

  test('whose stored state is none can be seen, set right and deleted', async () => {
    const api = new TestApi();
    await api.write(keys.unit(parseUnitName('a.service')), {
      hash: '',
      file: 'f',
      desiredState: 'flying',
      order: 0,
      isGlobal: false,
    });
    assert.deepEqual(await api.get('/units'), {
      units: [{ currentState: 'inactive', desiredState: 'inactive', fileHash: 'f', name: 'a.service' }],
    });
    assert.equal(await api.put('a.service', { desiredState: 'loaded' }), 204);
    assert.equal((await api.send({ method: 'DELETE', url })).status, 204);
  });

  test('may have characters in its name that URLs escape', async () => {
    const api = new TestApi();
    for (const name of ['a@1:2.service', 'a\\x2db.service', `${'a'.repeat(248)}.service`])
      for (const escaped of [encodeURIComponent(name), encodeURI(name)]) {
        assert.ok([201, 409].includes(await api.put(escaped, { options: sleeper() })), name);
        assert.equal(unitSchema.parse(await api.get(`/units/${escaped}`)).name, name);
      }
  });
});
