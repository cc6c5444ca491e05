import { describe } from 'node:test';
import { describeStories, done, fails, ok, type Scene, type Step, type V1Harness } from './v1-harness.js';

const patch = 'PATCH /machines';
const path = '/m0/metadata/foo';

/** A 204 that says that its body is JSON: fleet's own tests look for that. */
const patched = (body: unknown, types: readonly string[] = []): Step => ({
  ...done(patch, 204, body),
  types,
  type: 'application/json',
});

const twoMachines = async (scene: Scene) => {
  await scene.machine('m0', { address: '10.0.0.1', metadata: { hostname: 'm0' } });
  await scene.machine('m1', { address: '10.0.0.2', metadata: { hostname: 'm1' } });
};
const machines = (m0: object, m1: object) =>
  ok('GET /machines', {
    machines: [
      { id: 'm0', ...(Object.keys(m0).length === 0 ? {} : { metadata: m0 }), primaryIP: '10.0.0.1' },
      { id: 'm1', metadata: m1, primaryIP: '10.0.0.2' },
    ],
  });
const asBefore = machines({ hostname: 'm0' }, { hostname: 'm1' });

const wrongOp = 'invalid op: expect add, remove, or replace';
const wrongPath = 'machine metadata path invalid';
const noValue = 'invalid value: add and replace require a value';
const good = { op: 'add', path, value: { value: 'bar' } };

const refused: readonly (readonly [body: unknown, text: string | RegExp])[] = [
  ['', 'unable to decode body: EOF'],
  ['{', /^unable to decode body: ./],
  [good, /^unable to decode body: ./],
  [[1], /^unable to decode body: ./],
  [[{ ...good, value: 1 }], /^unable to decode body: ./],
  [[{ ...good, value: { value: 1 } }], /^unable to decode body: ./],
  [[{ ...good, op: 1 }], /^unable to decode body: ./],
  // In each operation first what it is, then where, then the value; and of several the first one that is wrong.
  [[{ op: 'noop', path: 'bad' }], wrongOp],
  [[{ op: 'Add', path }], wrongOp],
  [[{ path, value: 'x' }], wrongOp],
  [[{ op: 'add', path: 'bad' }], wrongPath],
  [[{ op: 'add', path: '/m0/foo', value: { value: '' } }], wrongPath],
  ...[
    '',
    '/',
    '/m0/metadata',
    '/m0/metadata/',
    '//metadata/foo',
    '/m0/Metadata/foo',
    '/m0/metadata/a b',
    '/m0/metadata/a/b',
    'm0/metadata/a',
    '/m0/metadata/ä',
    `${path}\n`,
  ].map((each): readonly [unknown, string] => [[{ ...good, path: each }], wrongPath]),
  [[{ op: 'add', path }], noValue],
  [[{ op: 'replace', path, value: { value: '' } }], noValue],
  [[{ op: 'add', path, value: '' }], noValue],
  [[{ op: 'add', path, value: null }], noValue],
  [[{ op: 'add', path, value: {} }], noValue],
  [[good, { op: 'add', path }, { op: 'noop', path: 'bad' }], noValue],
  [[good, { op: 'noop', path: 'bad' }, { op: 'add', path }], wrongOp],
];

/** `PATCH machines` */
export function describeMachines(open: () => V1Harness): void {
  describe('metadata of machines', () => {
    describeStories(open, [
      {
        says: 'is added and replaced, with keys in any case and without a Content-Type',
        given: twoMachines,
        steps: [
          patched([
            { op: 'add', path, Value: { value: 'bar' } },
            { OP: 'replace', Path: '/m1/metadata/ping', VALUE: { VALUE: 'splat' } },
          ]),
          machines({ foo: 'bar', hostname: 'm0' }, { hostname: 'm1', ping: 'splat' }),
          { ...patched([{ op: 'add', path, value: 'plain' }]), differs: 'fleet: 400, against its documentation' },
          machines({ foo: 'plain', hostname: 'm0' }, { hostname: 'm1', ping: 'splat' }),
          patched([{ op: 'remove', path }]),
          machines({ hostname: 'm0' }, { hostname: 'm1', ping: 'splat' }),
          patched([{ op: 'remove', path: '/m0/metadata/hostname', value: { value: '' } }]),
          machines({}, { hostname: 'm1', ping: 'splat' }),
          patched([{ op: 'add', path: '/m0/metadata/hostname', value: 'm0' }]),
          machines({ hostname: 'm0' }, { hostname: 'm1', ping: 'splat' }),
        ],
      },
      {
        says: 'is removed where it is not, and nothing changes',
        given: twoMachines,
        steps: [
          patched([
            { op: 'remove', path },
            { op: 'remove', path: '/m1/metadata/ping', value: { value: '' } },
          ]),
          asBefore,
        ],
      },
      {
        says: 'takes nothing to do, of any type, for done',
        given: twoMachines,
        steps: [
          patched([]),
          patched('null'),
          patched([], ['text/plain']),
          patched([], ['application/json']),
          patched('[] ]'),
          asBefore,
        ],
      },
      {
        says: 'is remembered of a machine that there is not',
        steps: [patched([{ op: 'add', path: '/unknown/metadata/a', value: 'b' }]), ok('GET /machines', {})],
      },
      {
        says: 'is refused by the first rule that is broken, and nothing changes',
        given: twoMachines,
        steps: [...refused.map(([body, why]) => fails(patch, [400, why], { body, types: [] })), asBefore],
      },
    ]);
  });
}
