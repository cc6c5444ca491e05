import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FleetError } from '@flotilla/errors';
import { parseEndpoint } from './endpoint.js';

const good = [
  ['unix:///var/run/fleet.sock', { kind: 'socket', path: '/var/run/fleet.sock' }],
  ['unix:/run/fleet.sock', { kind: 'socket', path: '/run/fleet.sock' }],
  ['file:///run/fleet.sock', { kind: 'socket', path: '/run/fleet.sock' }],
  ['http://10.0.0.1:49153', { kind: 'tcp', host: '10.0.0.1', port: 49153 }],
  ['http://[fe80::1]:49153/', { kind: 'tcp', host: 'fe80::1', port: 49153 }],
  ['http://fleet.example', { kind: 'tcp', host: 'fleet.example', port: 80 }],
  ['https://fleet.example', { kind: 'tls', host: 'fleet.example', port: 443 }],
  ['HTTPS://[::1]:4443/', { kind: 'tls', host: '::1', port: 4443 }],
] as const;

for (const [text, endpoint] of good)
  test(`${text} is an endpoint`, () => assert.deepEqual(parseEndpoint(text), endpoint));

const bad = [
  ['unix://var/run/fleet.sock', /"var" would be a host/, /unix:\/\/\/var\/run\/fleet.sock/],
  ['unix:', /no path/, /unix:\/\/\//],
  ['/var/run/fleet.sock', /scheme is missing/, /unix:\/\/\/var/],
  ['10.0.0.1:49153', /none of unix, file, http, https/, /http:\/\/10.0.0.1:49153/],
  ['https://10.0.0.1/fleet', /has a path/, /https:\/\/10.0.0.1/],
  ['http://', /not a URL/, /host:port/],
  ['http://10.0.0.1/fleet/v1', /has a path/, /http:\/\/10.0.0.1/],
] as const;

for (const [text, message, hint] of bad)
  test(`"${text}" is refused with advice`, () => {
    assert.throws(
      () => parseEndpoint(text),
      (error) => {
        assert.ok(error instanceof FleetError);
        assert.match(error.message, message);
        assert.match(error.hint ?? '', hint);
        return error.code === 'bad-endpoint';
      },
    );
  });
