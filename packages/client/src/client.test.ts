import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FleetError } from '@flotilla/errors';
import { createClient } from './client.js';
import { ApiError, isTransient } from './errors.js';
import { answer, serve } from './testing/serve.js';

test('a list is walked page by page until no token is left', async (context) => {
  const pages: Record<string, object> = {
    '/fleet/v1/state?unitName=a%40b.service': { states: [{ name: 'first' }], nextPageToken: 'ZA+/=' },
    '/fleet/v1/state?unitName=a%40b.service&nextPageToken=ZA%2B%2F%3D': { states: [{ name: 'second' }] },
  };
  const { client } = await serve(context, (request, response) => answer(response, 200, pages[request.url ?? '']));
  const states = await client.listStates({ unitName: 'a@b.service' });
  assert.deepEqual(
    states.map(({ name }) => name),
    ['first', 'second'],
  );
});

test('an empty list is the empty object', async (context) => {
  const { client } = await serve(context, (_, response) => answer(response, 200, {}));
  assert.deepEqual(await client.listMachines(), []);
});

test('a token that never moves on is an error, not an endless walk', async (context) => {
  const { client } = await serve(context, (_, response) => answer(response, 200, { nextPageToken: 'same' }));
  await assert.rejects(client.listUnits(), { code: 'bad-answer' });
});

test('a missing unit is a result; every other refusal is an ApiError with the words of the API', async (context) => {
  const { client } = await serve(context, (request, response) => {
    if (request.url === '/fleet/v1/machines') answer(response, 400, { error: { code: 400, message: 'bad request' } });
    else if (request.url?.endsWith('broken.service')) answer(response, 500, { error: { code: 500, message: '' } });
    else answer(response, 404, { error: { code: 404, message: 'unit does not exist' } });
  });
  assert.equal(await client.findUnit('absent.service'), undefined);
  await assert.rejects(client.listMachines(), (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.status, 400);
    assert.equal(error.message, 'bad request');
    return !isTransient(error);
  });
  await assert.rejects(client.findUnit('broken.service'), (error) => {
    assert.ok(error instanceof ApiError);
    assert.match(error.message, /answered 500/);
    return isTransient(error);
  });
});

test('a request without an answer ends at its deadline', async (context) => {
  const { client } = await serve(context, () => undefined, 50);
  await assert.rejects(client.listUnits(), (error) => {
    assert.ok(error instanceof FleetError);
    assert.equal(error.code, 'request-timeout');
    assert.match(error.message, /within 0.05 s/);
    return isTransient(error);
  });
});

test('a socket that is not there is named, with the cause and what to do', async () => {
  const client = createClient({ endpoint: 'unix:///nowhere/fleet.sock' });
  await assert.rejects(client.listUnits(), (error) => {
    assert.ok(error instanceof FleetError);
    assert.equal(error.message, 'cannot reach fleetd at unix:///nowhere/fleet.sock: no such file');
    assert.match(error.hint ?? '', /--endpoint/);
    return error.code === 'connection-failed';
  });
});

test('a kept connection that the server has cut is replaced without a word', async (context) => {
  let count = 0;
  const { client } = await serve(context, (request, response) => {
    count++;
    if (count === 2) request.socket.destroy();
    else answer(response, 200, {});
  });
  await client.listUnits();
  await client.listUnits();
  assert.equal(count, 3);
});

test('an answer that is not of the API is not taken for one', async (context) => {
  const { client } = await serve(context, (_, response) => response.end('<html>'));
  await assert.rejects(client.listUnits(), { code: 'bad-answer' });
});

test('an order to restart whose connection breaks is not given twice; a question is asked again', async (context) => {
  const seen: string[] = [];
  const { client } = await serve(context, (request, response) => {
    seen.push(request.method ?? '');
    const isBroken = request.method === 'POST' || seen.length === 2;
    if (isBroken) request.socket.destroy();
    else answer(response, 200, {});
  });
  await client.listMachines();
  await client.listMachines();
  await assert.rejects(client.restartUnit('web.service'), { code: 'connection-failed' });
  assert.deepEqual(seen, ['GET', 'GET', 'GET', 'POST']);
});
