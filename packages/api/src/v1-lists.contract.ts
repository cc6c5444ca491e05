import { describe } from 'node:test';
import {
  describeStories,
  done,
  fails,
  fileHashOf,
  ok,
  type Scene,
  type Step,
  type Story,
  type V1Harness,
} from './v1-harness.js';

const options = [{ name: 'ExecStart', section: 'Service', value: '/bin/true' }];
const names = (count: number) => Array.from({ length: count }, (_, at) => `u${at}.service`);
const create = (name: string) => done(`PUT /units/${name}`, 201, { options });
const fileHash = fileHashOf('[Service]\nExecStart=/bin/true\n');
const entity = (name: string) => ({ currentState: 'inactive', desiredState: 'inactive', fileHash, name, options });
const page = (of: readonly string[], token?: string) => ({
  ...(token === undefined ? {} : { nextPageToken: token }),
  units: of.map(entity),
});

/** fleet's token, and behind it where the page before has ended. */
const token = (limit: number, at: number, after = '') => {
  const head = [limit & 255, limit >> 8, at & 255, at >> 8];
  return Buffer.concat([Buffer.from(head), Buffer.from(after)])
    .toString('base64')
    .replaceAll('+', '-')
    .replaceAll('/', '_');
};
const on = (path: string, ofToken: string) => `GET ${path}?nextPageToken=${encodeURIComponent(ofToken)}`;

const longer = 'fleet’s token ends after four bytes, and counts';

const units: readonly Story[] = [
  {
    says: 'a list that is empty is an empty object, whatever is asked beside',
    steps: ['', '?', '?alt=json', '?unitName=&machineID=', '?nextPageToken=AwABAA%3D%3D'].flatMap((query) =>
      ['/units', '/state', '/machines'].map((path) => ok(`GET ${path}${query}`, {})),
    ),
  },
  {
    says: 'a list comes in pages, and its last one may be short',
    steps: [
      ...names(7).map(create),
      {
        ...ok('GET /units', page(['u0.service', 'u1.service', 'u2.service'], token(3, 2, 'u2.service'))),
        differs: longer,
      },
      ok(
        on('/units', token(3, 2, 'u2.service')),
        page(['u3.service', 'u4.service', 'u5.service'], token(3, 3, 'u5.service')),
      ),
      ok(on('/units', token(3, 3, 'u5.service')), page(['u6.service'])),
      ok(on('/units', token(3, 9, 'u6.service')), {}),
      done('DELETE /units/u0.service', 204),
      ok(on('/units', token(3, 3, 'u5.service')), page(['u6.service'])),
    ],
  },
  {
    says: 'a list that fills its last page ends with it',
    steps: [
      ...names(3).map(create),
      { ...ok('GET /units', page(names(3))), differs: 'fleet: a token for an empty page more' },
      ...['u3.service', 'u4.service', 'u5.service'].map(create),
      ok(on('/units', token(3, 2)), page(['u3.service', 'u4.service', 'u5.service'])),
      ok(on('/units', token(3, 2, 'u2.service')), page(['u3.service', 'u4.service', 'u5.service'])),
    ],
  },
  {
    says: 'fleet’s own tokens count',
    steps: [
      ...names(4).map(create),
      ok(on('/units', token(3, 1)), page(names(3), token(3, 2, 'u2.service'))),
      ok(on('/units', token(3, 2)), page(['u3.service'])),
      ok(on('/units', token(3, 3)), {}),
      ok(on('/units', token(3, 65_535)), {}),
      ok(
        on('/units', `${token(3, 1)}&alt=json`)
          .replace('%26', '&')
          .replace('%3Djson', '=json'),
        page(names(3), token(3, 2, 'u2.service')),
      ),
    ],
  },
  {
    says: 'a list ignores the body of its request',
    steps: [{ ask: 'GET /units', body: 'nonsense', status: 200, says: '{}' }],
  },
];

const badTokens: readonly (readonly [token: string, text: string])[] = [
  ['', 'EOF'],
  ['Aw==', 'unexpected EOF'],
  ['AwAB', 'unexpected EOF'],
  ['EwBMLg==', 'token limit must be 3'],
  ['AAABAA==', 'token limit must be 3'],
  ['AwAAAA==', 'token page must be greater than zero'],
  ['*', 'illegal base64 data at input byte 0'],
  ['AwABAA', 'illegal base64 data at input byte 4'],
  ['AwABAA=', 'illegal base64 data at input byte 7'],
  ['Aw%20BAA==', 'illegal base64 data at input byte 2'],
  ['AwABAA==&nextPageToken=AwABAA==', 'too many values for page token'],
];

const states = async (scene: Scene) => {
  for (const name of ['a.service', 'b.service'])
    for (const id of ['m1', 'm2']) await scene.state(name, id, id === 'm2' ? { active: 'failed', sub: 'failed' } : {});
};
const state = (name: string, machineID: string) => ({
  hash: '1'.repeat(40),
  machineID,
  name,
  order: 1,
  since: 5,
  systemdActiveState: machineID === 'm1' ? 'active' : 'failed',
  systemdLoadState: 'loaded',
  systemdSubState: machineID === 'm1' ? 'running' : 'failed',
});
const statePage = (...of: (readonly [string, string])[]) => ({ states: of.map(([name, id]) => state(name, id)) });

const filtered: readonly Step[] = [
  ok('GET /state?machineID=m2', statePage(['a.service', 'm2'], ['b.service', 'm2'])),
  ok('GET /state?unitName=b.service', statePage(['b.service', 'm1'], ['b.service', 'm2'])),
  ok('GET /state?unitName=b.service&machineID=m1', statePage(['b.service', 'm1'])),
  ok('GET /state?unitName=b.service&unitName=a.service', statePage(['b.service', 'm1'], ['b.service', 'm2'])),
  ...['unitName=a', 'unitName=a.servic', 'machineID=m', 'machineID=M1', 'unitName=a.service%2Fm1', 'machineID=%2F'].map(
    (query) => ok(`GET /state?${query}`, {}),
  ),
];

const others: readonly Story[] = [
  {
    says: 'states come by name and machine, are filtered exactly, and then cut into pages',
    given: states,
    steps: [
      ok('GET /state', {
        nextPageToken: token(3, 2, 'b.service/m1'),
        ...statePage(['a.service', 'm1'], ['a.service', 'm2'], ['b.service', 'm1']),
      }),
      ok(on('/state', token(3, 2, 'b.service/m1')), statePage(['b.service', 'm2'])),
      ok(on('/state', token(3, 2)), statePage(['b.service', 'm2'])),
      ok('GET /state?unitName=&machineID=', {
        nextPageToken: token(3, 2, 'b.service/m1'),
        ...statePage(['a.service', 'm1'], ['a.service', 'm2'], ['b.service', 'm1']),
      }),
      ...filtered,
    ],
  },
  {
    says: 'the state of one unit is had by its name, and one that there is not is missed',
    given: states,
    steps: [
      ok('GET /state/a.service', state('a.service', 'm1')),
      {
        ...fails('GET /state/c.service', [404, 'unit state does not exist']),
        differs: 'fleet: no answer, its handler crashes',
      },
      create('c.service'),
      fails('GET /state/c.service', [404, 'unit state does not exist']),
    ],
  },
  {
    says: 'machines come by ID, and what is not known of them is left out',
    given: async (scene) => {
      await scene.machine('m2', { address: '10.0.0.2', metadata: { role: 'db', disk: 'ssd' } });
      await scene.machine('m1');
    },
    steps: [
      ok('GET /machines', {
        machines: [{ id: 'm1' }, { id: 'm2', metadata: { disk: 'ssd', role: 'db' }, primaryIP: '10.0.0.2' }],
      }),
    ],
  },
];

/** Lists of units, states and machines. */
export function describeLists(open: () => V1Harness): void {
  describe('lists', () => {
    describeStories(open, [
      ...units,
      {
        says: 'a page token that is none is refused',
        steps: ['/units', '/state', '/machines'].flatMap((path) =>
          badTokens.map(([bad, why]) => fails(`GET ${path}?nextPageToken=${bad}`, [400, why])),
        ),
      },
      ...others,
    ]);
  });
}
