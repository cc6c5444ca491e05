import { describe } from 'node:test';
import { describeStories, fails, type Step, type Story, type V1Harness } from './v1-harness.js';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'BREW'];

interface Place {
  readonly path: string;
  /** What is answered to all methods but these. */
  readonly allow: string;
  readonly text: string;
  readonly differs?: string;
}

const only = (methodNames: string) => `only ${methodNames} supported against this resource`;

/** Everything that there is. */
const places: readonly Place[] = [
  { path: '^/', allow: '', text: '' },
  { path: '', allow: '', text: '' },
  {
    path: '/discovery',
    allow: 'GET',
    text: only('HTTP GET'),
    differs: 'fleet: 400, which says that the request is bad',
  },
  { path: '/machines', allow: 'GET, PATCH', text: only('GET and PATCH') },
  { path: '/units', allow: 'GET', text: only('GET') },
  { path: '/units/a.service', allow: 'GET, PUT, DELETE', text: only('GET, PUT and DELETE') },
  { path: '/state', allow: 'GET', text: only('GET') },
  { path: '/state/a.service', allow: 'GET', text: only('GET') },
];

const wrongMethods = places.map(({ path, allow, text, differs }): Story => {
  const wrong = methods.filter((method) => !allow.split(', ').includes(method));
  return {
    says: `${path || 'the prefix'} answers 405 to all methods but ${allow || 'none'}`,
    steps: wrong.map((method) =>
      fails(`${method} ${path}`, [405, text], { allow, ...(differs === undefined ? {} : { differs }) }),
    ),
  };
});

/** Nothing is there, whatever the method is. */
const nowhere = [
  '/',
  '/units/',
  '/state/',
  '/machines/',
  '/discovery/',
  '/units/a.service/',
  '/units/a/b',
  '/units/a%2Fb.service',
  '/units/a%2fb.service',
  '/state/a%2Fb.service',
  '/machines/x',
  '/Units',
  '/unit',
  '^/nothing',
  '^/fleet/v1x/units',
  '^/fleet/v2',
  '^/fleet',
];

const moved: readonly (readonly [from: string, to: string])[] = [
  ['^//', '/'],
  ['^/..', '/'],
  ['^/{prefix}/units', '{prefix}/units'],
  ['^{prefix}//units', '{prefix}/units'],
  ['^{prefix}/./units', '{prefix}/units'],
  ['^{prefix}/units/..', '{prefix}'],
  ['^{prefix}/units/../state', '{prefix}/state'],
  ['^{prefix}/%2e%2e/v1/units', '/fleet/v1/units'],
  ['^{prefix}/units//', '{prefix}/units/'],
  ['^{prefix}/units/.', '{prefix}/units'],
  ['^/../../fleet/v1/units?a=b&a=%2F', '/fleet/v1/units?a=b&a=%2F'],
];

const movedSteps = moved
  .filter(([from]) => !from.startsWith('^{prefix}/%2e'))
  .flatMap(([ask, location]) =>
    ['GET', 'PUT', 'DELETE'].map((method): Step => ({ ask: `${method} ${ask}`, status: 301, says: '', location })),
  );

const malformed = ['/units/%', '/units/%zz.service', '/units/%ff.service', '/units/a.service#x', '/%c3%28'];

/** That fleet's 503 is what everything of v1 answers while its fleetd is out of touch with its cluster. */
export function describeAway(open: () => V1Harness): void {
  const ofV1 = [...places.map(({ path }) => path), ...nowhere].filter((path) => !path.startsWith('^'));
  describeStories(open, [
    {
      says: 'everything answers 503 to all methods',
      steps: ofV1.flatMap((path) =>
        methods.map((method) => fails(`${method} ${path}`, [503, 'fleet server unable to communicate with etcd'])),
      ),
    },
  ]);
}

/** Which paths there are, and which methods they take. */
export function describeRoutes(open: () => V1Harness): void {
  describe('paths and methods', () => {
    describeStories(open, [
      ...wrongMethods,
      {
        says: 'a path where nothing is answers 404 to all methods',
        steps: nowhere.flatMap((path) => methods.map((method) => fails(`${method} ${path}`, [404, '']))),
      },
      {
        says: 'a path that is not in its shortest form is moved, with its query, and nothing is done',
        steps: movedSteps,
      },
      {
        says: 'a path whose escapes are none is refused',
        steps: malformed.map((path) =>
          fails(`GET ${path}`, [400, 'malformed URL'], { differs: 'fleet: Go’s own text, not in JSON' }),
        ),
      },
      {
        says: 'escapes that need not be ones are the letters themselves',
        steps: [{ ask: 'GET /%75nits', status: 200, says: '{}' }],
      },
      {
        says: 'what follows a mark that is none is part of the name',
        steps: ['/units/a.service;x', '/units/a.service,x', '/units/a.service&x', '/units/a.service=x'].map((path) =>
          fails(`DELETE ${path}`, [404, 'unit does not exist']),
        ),
      },
    ]);
  });
}
