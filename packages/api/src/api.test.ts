import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StoreError } from '@flotilla/registry';
import fc from 'fast-check';
import { errorText, sleeper, TestApi, type TestRequest } from './api-harness.js';

interface Row {
  readonly method?: string;
  readonly url: string;
  readonly status: number;
  readonly text?: string;
}

const onlyGet = 'only GET supported against this resource';
const onUnit = 'only GET, PUT and DELETE supported against this resource';

const refusals: readonly Row[] = [
  ...['GET', 'POST', 'OPTIONS'].map((method) => ({ method, url: '/', status: 405 })),
  ...['/fleet/v1', '/v1-alpha'].flatMap((prefix): Row[] => [
    { url: prefix, status: 405 },
    {
      method: 'POST',
      url: `${prefix}/machines`,
      status: 405,
      text: 'only GET and PATCH supported against this resource',
    },
    { method: 'PUT', url: `${prefix}/units`, status: 405, text: onlyGet },
    { method: 'HEAD', url: `${prefix}/units`, status: 405, text: onlyGet },
    { method: 'POST', url: `${prefix}/units/a.service`, status: 405, text: onUnit },
    { method: 'OPTIONS', url: `${prefix}/units/a.service`, status: 405, text: onUnit },
    { method: 'DELETE', url: `${prefix}/state`, status: 405, text: onlyGet },
    { method: 'PUT', url: `${prefix}/state/a.service`, status: 405, text: onlyGet },
    { method: 'DELETE', url: `${prefix}/units/a.service`, status: 404, text: 'unit does not exist' },
    { method: 'DELETE', url: `${prefix}/units/not%20a%20name`, status: 404, text: 'unit does not exist' },
    { url: `${prefix}/units/a.service`, status: 404, text: 'unit does not exist' },
    { url: `${prefix}/units/..%252f`, status: 404, text: 'unit does not exist' },
    { url: `${prefix}/state/a.service`, status: 404, text: 'unit state does not exist' },
    { url: `${prefix}/units?nextPageToken=EwBMLg==`, status: 400, text: 'token limit must be 100' },
    { url: `${prefix}/machines?nextPageToken=EwBMLg==`, status: 400, text: 'token limit must be 100' },
    { url: `${prefix}/state?nextPageToken=`, status: 400, text: 'EOF' },
    ...['/', '/units/', '/state/', '/units/a/b', '/units/a%2Fb', '/machines/x', '/UNITS', '/nothing'].map((path) => ({
      url: prefix + path,
      status: 404,
    })),
  ]),
  { url: '/nothing', status: 404 },
  { url: '/fleet/v1/units/%', status: 400, text: 'malformed URL' },
  { method: 'PUT', url: '/healthz', status: 405, text: onlyGet },
];

describe('requests for what is not there', () => {
  for (const { method = 'GET', url, status, text = '' } of refusals)
    test(`${method} ${url} is ${status} ${text}`, async () => {
      const response = await new TestApi().send({ method, url });
      assert.equal(response.status, status);
      assert.equal(errorText(response), text);
      assert.equal(response.headers.Server, 'fleetd/1.2.3');
    });

  test('a 405 says what is allowed', async () => {
    const { headers } = await new TestApi().send({ method: 'POST', url: '/fleet/v1/units/a.service' });
    assert.equal(headers.Allow, 'GET, PUT, DELETE');
  });

  test('a path that is not in its shortest form is moved', async () => {
    const response = await new TestApi().send({ url: '//fleet/v1/../v1/units?a=b' });
    assert.deepEqual([response.status, response.headers.Location], [301, '/fleet/v1/units?a=b']);
  });

  test('a foreign page is refused', async () => {
    const request = { url: '/fleet/v1/units', headers: { host: ['evil.example'] } };
    assert.equal((await new TestApi().send({ ...request, door: 'tcp' })).status, 403);
    assert.equal((await new TestApi().send({ ...request, door: 'unix' })).status, 200);
    assert.equal(
      (await new TestApi().send({ ...request, door: 'tcp', headers: { host: ['core-01:80'] } })).status,
      200,
    );
  });

  test('what is no HTTP is refused', async () => {
    const refusal = { status: 413, message: 'request body is too large' } as const;
    const response = await new TestApi().send({ url: '/fleet/v1/units', refusal });
    assert.deepEqual([response.status, errorText(response)], [413, 'request body is too large']);
  });
});

describe('while the store is away', () => {
  const away = 'fleet server unable to communicate with etcd';

  test('v1 says so, and health and readiness come from memory', async () => {
    const api = new TestApi();
    api.isReady = false;
    api.store.cut();
    for (const [method, url] of [
      ['GET', '/units'],
      ['PUT', '/units/a.service'],
      ['POST', '/state'],
      ['GET', '/machines'],
    ] as const) {
      const response = await api.send({ method, url: `/fleet/v1${url}` });
      assert.deepEqual([response.status, errorText(response)], [503, away]);
    }
    const health = await api.send({ url: '/healthz' });
    assert.deepEqual([health.status, health.body], [200, '{"version":"1.2.3"}']);
    const readiness = await api.send({ url: '/readyz' });
    assert.deepEqual([readiness.status, readiness.body], [503, '{"ready":false}']);
    api.isReady = true;
    assert.equal((await api.send({ url: '/readyz' })).status, 200);
  });

  test('a request that meets it first gets the same answer', async () => {
    const api = new TestApi();
    api.store.cut();
    const response = await api.send({ url: '/fleet/v1/units' });
    assert.deepEqual([response.status, errorText(response)], [503, away]);
  });
});

describe('what goes wrong inside', () => {
  test('is in the log and not in the answer', async () => {
    const error = new StoreError('refused', 'secret');
    const api = new TestApi();
    const broken = new TestApi({ store: Object.assign(api.store, { transact: () => Promise.reject(error) }) });
    const response = await broken.send({ url: '/fleet/v1/units/a.service' });
    assert.deepEqual([response.status, errorText(response)], [500, '']);
    assert.equal(broken.log.find(({ level }) => level === 'error')?.fields?.error, error);
  });

  test('every request is in the debug log', async () => {
    const api = new TestApi();
    await api.send({ url: '/healthz' });
    assert.deepEqual(api.log, [
      { level: 'debug', message: 'request', fields: { method: 'GET', url: '/healthz', status: 200 } },
    ]);
  });
});

test('no request whatever is a 500 or throws', async () => {
  const api = new TestApi({ pageLimit: 2 });
  for (const name of ['a.service', 'b@.service', 'c.timer']) await api.put(name, { options: sleeper() });
  const segment = fc.oneof(
    fc.constantFrom('fleet', 'v1', 'units', 'state', 'machines', 'a.service', 'b@.service', '', '..', '%2f', '%'),
    fc.string(),
  );
  const query = fc.oneof(
    fc.webQueryParameters(),
    fc.base64String().map((token) => `nextPageToken=${encodeURIComponent(token)}`),
    fc
      .tuple(fc.string(), fc.string())
      .map(([name, machine]) => `unitName=${encodeURIComponent(name)}&machineID=${encodeURIComponent(machine)}`),
  );
  const known = fc.constantFrom(
    '/fleet/v1/units',
    '/fleet/v1/state',
    '/fleet/v1/machines',
    '/v1-alpha/units/a.service',
    '/v1-alpha/units/b@.service',
  );
  const path = fc.oneof(
    known,
    fc.array(segment).map((segments) => `/${segments.join('/')}`),
    fc.string(),
  );
  const option = fc.record({
    section: fc.constantFrom('Service', 'X-Fleet', 'Unit', ']'),
    name: fc.constantFrom('Global', 'Conflicts', 'MachineOf', 'ExecStart', '='),
    value: fc.string(),
  });
  const body = fc.oneof(
    fc.record(
      {
        desiredState: fc.oneof(fc.constantFrom('inactive', 'loaded', 'launched'), fc.string()),
        options: fc.array(fc.oneof(option, fc.constant(null))),
        file: fc.string(),
      },
      { requiredKeys: [] },
    ),
    fc.jsonValue(),
    fc.string(),
  );
  const request: fc.Arbitrary<TestRequest> = fc.record({
    method: fc.oneof(fc.constantFrom('GET', 'PUT', 'PATCH', 'DELETE', 'HEAD'), fc.string()),
    url: fc.tuple(path, query).map((parts) => parts.join('?')),
    headers: fc.dictionary(
      fc.constantFrom('host', 'origin', 'content-type'),
      fc.array(fc.constantFrom('localhost', 'application/json', 'http://localhost')),
      { noNullPrototype: true },
    ),
    door: fc.constantFrom('unix', 'tcp'),
    body,
  });
  await fc.assert(
    fc.asyncProperty(request, async (sent) => {
      const response = await api.send(sent);
      assert.notEqual(response.status, 500, JSON.stringify(api.log.at(-2)));
      if (response.body !== '') assert.equal(typeof JSON.parse(response.body), 'object');
    }),
    { numRuns: 1000 },
  );
});
