import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findForeign } from './guard.js';
import type { ApiRequest } from './request.js';

const hostNames = new Set(['core-01', 'core-01.example.org']);

function isForeign(door: ApiRequest['door'], host?: string, origin?: string): boolean {
  const headers = {
    ...(host === undefined ? {} : { host: [host] }),
    ...(origin === undefined ? {} : { origin: [origin] }),
  };
  return findForeign({ method: 'GET', url: '/', headers, body: new Uint8Array(), door }, hostNames) !== undefined;
}

describe('over TCP', () => {
  for (const host of [
    '127.0.0.1',
    '10.0.0.1:49153',
    '[::1]',
    '[fd00::1]:80',
    'localhost',
    'LocalHost:8080',
    'core-01',
    'Core-01.example.org.:49153',
  ])
    test(`the Host ${host} is one's own`, () => {
      assert.equal(isForeign('tcp', host), false);
    });

  for (const host of [
    '',
    'evil.example',
    'core-02',
    'core-01.evil.example',
    '127.0.0.1.evil.example',
    'user@core-01',
    'core-01/x',
    '[evil]',
    'localhost:a',
    '1.2.3',
    '::1',
  ])
    test(`the Host ${JSON.stringify(host)} is foreign`, () => {
      assert.equal(isForeign('tcp', host), true);
    });

  test('two Hosts are foreign, none is HTTP/1.0', () => {
    const headers = { host: ['localhost', 'localhost'] };
    assert.ok(findForeign({ method: 'GET', url: '/', headers, body: new Uint8Array(), door: 'tcp' }, hostNames));
    assert.equal(isForeign('tcp'), false);
  });

  const origins: readonly (readonly [host: string, origin: string, isRefused: boolean])[] = [
    ['localhost:8080', 'http://localhost:8080', false],
    ['localhost:8080', 'https://LOCALHOST:8080', false],
    ['core-01:80', 'http://core-01', false],
    ['core-01', 'https://core-01:443', false],
    ['localhost:8080', 'http://localhost', true],
    ['localhost:8080', 'http://localhost:8081', true],
    ['localhost', 'http://evil.example', true],
    ['localhost', 'null', true],
    ['localhost', '', true],
    ['localhost', 'http://x@localhost', true],
  ];
  for (const [host, origin, isRefused] of origins)
    test(`the Origin ${JSON.stringify(origin)} is ${isRefused ? 'refused' : 'accepted'} by ${host}`, () => {
      assert.equal(isForeign('tcp', host, origin), isRefused);
    });
});

describe('on the unix socket', () => {
  test('any Host will do', () => {
    for (const host of ['domain-sock', 'evil.example', '', undefined]) assert.equal(isForeign('unix', host), false);
  });

  test('an Origin is refused, whatever it is', () => {
    assert.equal(isForeign('unix', 'localhost', 'http://localhost'), true);
  });
});
