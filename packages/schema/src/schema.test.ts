import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { firstJsonValue } from './first-json-value.js';
import {
  batchAnswerSchema,
  batchRequestSchema,
  type DescribedUnit,
  errorBodySchema,
  fromOptionEntities,
  lossSchema,
  machineSchema,
  parseBatch,
  parsePutUnit,
  putUnitSchema,
  readinessAnswerSchema,
  toBatchAnswer,
  toErrorBody,
  toLossEntity,
  toMachineEntity,
  toReadinessAnswer,
  toUnfreezeAnswer,
  toUnitEntity,
  toUnitStateEntity,
  unfreezeAnswerSchema,
  unitPageSchema,
  unitSchema,
  unitStateSchema,
} from './index.js';

const optional = (arbitrary: fc.Arbitrary<string>) => fc.option(arbitrary, { nil: undefined });
const launchState = fc.constantFrom('inactive' as const, 'loaded' as const, 'launched' as const);
const options = fc.array(
  fc.record({ section: fc.string(), name: fc.string(), value: fc.string() }, { noNullPrototype: true }),
);
const member = fc.oneof(
  fc.record({ kind: fc.constant('silent' as const), address: fc.string(), why: fc.string() }),
  fc.record({
    kind: fc.constant('answering' as const),
    address: fc.string(),
    hasLeader: fc.boolean(),
    inUseBytes: fc.nat(),
    quotaBytes: fc.option(fc.nat(), { nil: undefined }),
    sizeBytes: fc.nat(),
    version: fc.string(),
  }),
);
const described = {
  unit: fc.record({
    name: fc.string(),
    desiredState: launchState,
    currentState: launchState,
    machineId: optional(fc.string()),
    options,
    file: optional(fc.string()),
    fileHash: optional(fc.string()),
    owner: optional(fc.string()),
    reason: optional(fc.string()),
    waitingSince: fc.option(fc.nat(), { nil: undefined }),
  }),
  state: fc.record({
    name: fc.string(),
    machineId: fc.string(),
    hash: fc.string(),
    load: fc.string(),
    active: fc.string(),
    sub: fc.string(),
    since: fc.option(fc.nat(), { nil: undefined }),
    order: fc.nat(),
    error: optional(fc.string()),
    waitsFor: optional(fc.string()),
  }),
  machine: fc.record({
    id: fc.string(),
    address: fc.string(),
    metadata: fc
      .uniqueArray(fc.tuple(fc.stringMatching(/^[a-z_.-]{1,8}$/), fc.string()), { selector: ([key]) => key })
      .map((entries) => new Map(entries)),
    maxUnits: fc.option(fc.nat(), { nil: undefined }),
    version: fc.string(),
    frozen: optional(fc.string()),
  }),
  loss: fc.record({
    machineId: fc.string(),
    address: fc.string(),
    since: fc.nat(),
    state: fc.constantFrom('grace' as const, 'brake' as const, 'rate' as const, 'lost' as const),
    units: fc.nat(),
  }),
  readiness: fc.record(
    {
      isReady: fc.boolean(),
      status: fc.option(fc.string(), { nil: undefined }),
      alarms: fc.array(
        fc.record({ code: fc.string(), member: fc.string(), message: fc.string() }, { noNullPrototype: true }),
      ),
      health: fc.record({ commitMs: fc.option(fc.nat(), { nil: undefined }), members: fc.array(member) }),
    },
    { requiredKeys: ['isReady'], noNullPrototype: true },
  ),
};

function assertSortedKeys(value: unknown): void {
  JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    assert.deepEqual(Object.keys(part), Object.keys(part).sort());
    return part;
  });
}

describe('entities', () => {
  const cases = [
    { name: 'unit', arbitrary: described.unit.map(toUnitEntity), schema: unitSchema },
    { name: 'unit state', arbitrary: described.state.map(toUnitStateEntity), schema: unitStateSchema },
    { name: 'machine', arbitrary: described.machine.map(toMachineEntity), schema: machineSchema },
    { name: 'loss', arbitrary: described.loss.map(toLossEntity), schema: lossSchema },
    { name: 'readiness', arbitrary: described.readiness.map(toReadinessAnswer), schema: readinessAnswerSchema },
  ];
  for (const { name, arbitrary, schema } of cases) {
    test(`a ${name} survives JSON and its schema, and its keys are in alphabetical order`, () => {
      fc.assert(
        fc.property(arbitrary as fc.Arbitrary<unknown>, (entity) => {
          assertSortedKeys(entity);
          assert.deepEqual(schema.parse(JSON.parse(JSON.stringify(entity))), entity);
        }),
      );
    });
  }

  const bareUnit: DescribedUnit = {
    name: 'a.service',
    desiredState: 'inactive',
    currentState: 'inactive',
    machineId: undefined,
    options: [],
    file: undefined,
    fileHash: undefined,
    owner: undefined,
    reason: undefined,
    waitingSince: undefined,
  };

  test('what is empty or unknown is absent', () => {
    assert.equal(
      JSON.stringify(toUnitEntity(bareUnit)),
      '{"currentState":"inactive","desiredState":"inactive","name":"a.service"}',
    );
    const machine = { id: 'm1', address: '', metadata: new Map<string, string>(), version: '' };
    assert.equal(
      JSON.stringify(toMachineEntity({ ...machine, maxUnits: undefined, frozen: undefined })),
      '{"id":"m1"}',
    );
  });

  test('an option with an empty value has no value in JSON and gets it back', () => {
    const option = { section: 'Service', name: 'ExecStart', value: '' };
    const [entity] = toUnitEntity({ ...bareUnit, options: [option] }).options ?? [];
    assert.deepEqual(entity, { name: 'ExecStart', section: 'Service' });
    assert.deepEqual(fromOptionEntities(entity === undefined ? [] : [entity]), [option]);
  });

  test('an error body keeps its empty message', () => {
    assert.deepEqual(errorBodySchema.parse(toErrorBody(500, '')), { error: { code: 500, message: '' } });
  });

  test('unknown fields are let through to nobody', () => {
    assert.deepEqual(unitPageSchema.parse({ units: [], more: 1 }), { units: [] });
    assert.equal(putUnitSchema.safeParse({ desiredState: 'running' }).success, false);
  });
});

const bytes = (text: string) => new TextEncoder().encode(text);

describe('the body of PUT units/<name>', () => {
  const empty = { name: undefined, desiredState: undefined, options: [], file: undefined };
  const rows: readonly { says: string; body: string; put?: object; why?: RegExp }[] = [
    {
      says: 'all fields',
      body: '{"name":"a.service","desiredState":"loaded","file":"x"}',
      put: { ...empty, name: 'a.service', desiredState: 'loaded', file: 'x' },
    },
    {
      says: 'letter case does not matter',
      body: '{"NAME":"a","DesiredSTATE":"loaded","Options":[{"SECTION":"S","Name":"n","VALUE":"v"}]}',
      put: { ...empty, name: 'a', desiredState: 'loaded', options: [{ section: 'S', name: 'n', value: 'v' }] },
    },
    {
      says: 'null and empty words are no field',
      body: '{"name":null,"desiredState":"","options":null,"file":null}',
      put: empty,
    },
    { says: 'null is an empty object', body: 'null', put: empty },
    {
      says: 'what an option lacks is empty',
      body: '{"options":[{"name":"n"}]}',
      put: { ...empty, options: [{ section: '', name: 'n', value: '' }] },
    },
    { says: 'unknown fields are ignored', body: '{"machineID":"m","__proto__":{"name":"b"}}', put: empty },
    { says: 'an empty file is a file', body: '{"file":""}', put: { ...empty, file: '' } },
    { says: 'what follows the first value is ignored', body: ' {"name":"a}\\"{"} {]', put: { ...empty, name: 'a}"{' } },
    { says: 'an empty body', body: ' \n', why: /^EOF$/ },
    { says: 'not JSON', body: '{"name"', why: /JSON/ },
    { says: 'a list', body: '[]', why: /expected object/ },
    { says: 'a number', body: '1', why: /expected object/ },
    { says: 'null among the options', body: '{"options":[null]}', why: /^options\.0: / },
    { says: 'a number as a value', body: '{"options":[{"value":1}]}', why: /^options\.0\.value: / },
    { says: 'a word where true or false is meant', body: '{"allowUnknown":"yes"}', why: /^allowUnknown: / },
    { says: 'half a character in the file', body: '{"file":"\\ud800"}', why: /^file: / },
  ];
  for (const { says, body, put, why } of rows) {
    test(`${says}: ${why === undefined ? 'taken' : 'refused'}`, () => {
      const result = parsePutUnit(bytes(body));
      if (result.kind === 'parsed') assert.deepEqual(result.put, put);
      else assert.match(result.why, why ?? assert.fail(result.why));
    });
  }

  test('bytes that are not UTF-8 are refused', () => {
    assert.equal(parsePutUnit(Uint8Array.of(0x7b, 0xff, 0x7d)).kind, 'refused');
  });

  test('any bytes are taken or refused, never thrown at', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(bytes), fc.string().map(bytes)), (body) => {
        parsePutUnit(body);
      }),
    );
  });

  test('what a client writes is what is read', () => {
    const put = fc.record(
      {
        name: fc.string({ minLength: 1 }),
        desiredState: launchState,
        options,
        file: fc.string({ unit: 'grapheme' }),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(put, (value) => {
        assert.deepEqual(parsePutUnit(bytes(JSON.stringify(putUnitSchema.parse(value)))), {
          kind: 'parsed',
          put: value,
        });
      }),
    );
  });
});

test('the first JSON value is found whatever follows it', () => {
  const container = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()));
  fc.assert(
    fc.property(container, fc.string(), (value, rest) => {
      const text = JSON.stringify(value);
      assert.deepEqual(firstJsonValue(`${text}${rest}`), JSON.parse(text));
    }),
  );
});

describe('the body of POST batch', () => {
  const parse = (body: unknown) => parseBatch(bytes(JSON.stringify(body)));

  test('is read as its schema has it, and units as PUT reads them', () => {
    const unit = fc.record({ name: fc.string(), desiredState: launchState, options }, { noNullPrototype: true });
    const operation = fc.oneof(
      fc.record({ op: fc.constant('put' as const), unit }, { noNullPrototype: true }),
      fc.record({ op: fc.constant('delete' as const), name: fc.string() }, { noNullPrototype: true }),
    );
    const nameOf = (of: { readonly name: string } | { readonly unit: { readonly name: string } }) =>
      'unit' in of ? of.unit.name : of.name;
    fc.assert(
      fc.property(fc.uniqueArray(operation, { minLength: 1, selector: nameOf }), (operations) => {
        const parsed = parse(batchRequestSchema.parse({ operations }));
        assert.ok(parsed.kind === 'parsed');
        assert.deepEqual(
          parsed.operations,
          operations.map((each) =>
            each.op === 'delete'
              ? each
              : { op: 'put', name: each.unit.name, unit: parsePutUnit(bytes(JSON.stringify(each.unit))) },
          ),
        );
        const twice = parse({
          operations: [...operations, { op: 'delete', name: nameOf(operations[0] ?? assert.fail()) }],
        });
        assert.equal(twice.kind, 'refused');
      }),
    );
  });

  test('says on whose behalf it is, and is refused if that is no text', () => {
    const operations = [{ op: 'delete', name: 'a.service' }];
    for (const owner of ['local', '', undefined]) {
      const parsed = parse({ operations, owner });
      assert.ok(parsed.kind === 'parsed');
      assert.equal(parsed.owner, owner);
    }
    for (const owner of [null, 1, ['local'], {}]) {
      const parsed = parse({ operations, owner });
      assert.ok(parsed.kind === 'refused');
      assert.match(parsed.why, /^owner: /);
    }
  });

  test('leaves what is wrong with one unit to that unit', () => {
    const parsed = parse({
      operations: [
        { op: 'put', unit: { name: 'a', options: [null] } },
        { op: 'delete', name: 'b' },
      ],
    });
    assert.ok(parsed.kind === 'parsed');
    assert.deepEqual(
      parsed.operations.map((each) => (each.op === 'put' ? each.unit.kind : each.op)),
      ['refused', 'delete'],
    );
  });

  test('any bytes are taken or refused, never thrown at', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(bytes)), (body) => {
        parseBatch(body);
      }),
    );
  });
});

test('the answer to a batch survives its schema, its keys in alphabetical order', () => {
  const results = [
    { name: 'a.service', status: 201, effect: 'created' as const },
    { name: 'b.service', status: 500, message: '' },
  ];
  const answer = toBatchAnswer(results);
  assertSortedKeys(answer);
  assert.deepEqual(batchAnswerSchema.parse(JSON.parse(JSON.stringify(answer))), answer);
  assert.deepEqual(answer.results, [
    { effect: 'created', name: 'a.service', status: 201 },
    { error: { code: 500, message: '' }, name: 'b.service', status: 500 },
  ]);
});

test('the answer to an order to unfreeze survives its schema, its keys in alphabetical order', () => {
  const units = [{ name: 'a.service', why: 'the store does not have it', effect: 'written-back' as const }];
  for (const each of [units, []]) {
    const answer = toUnfreezeAnswer({ machineId: 'm1', how: 'adopt', frozen: 'because', units: each });
    assertSortedKeys(answer);
    assert.deepEqual(unfreezeAnswerSchema.parse(JSON.parse(JSON.stringify(answer))), answer);
  }
});
