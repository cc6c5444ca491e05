import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseTarget } from './target.js';

describe('a request target', () => {
  const moves: readonly (readonly [url: string, location: string])[] = [
    ['//', '/'],
    ['//evil.example/x', '/evil.example/x'],
    ['/fleet//v1/units', '/fleet/v1/units'],
    ['/fleet/v1/./units/', '/fleet/v1/units/'],
    ['/fleet/v1/units/..', '/fleet/v1'],
    ['/../..', '/'],
    ['/fleet/v1/units/%2e%2e/state?a=b', '/fleet/v1/state?a=b'],
    ['http://host//units', '/units'],
  ];
  for (const [url, location] of moves)
    test(`${url} is moved to ${location}`, () => {
      assert.deepEqual(parseTarget(url), { kind: 'moved', location });
    });

  for (const url of ['', '*', 'units', 'ftp://host/', '/%', '/%zz', '/%ff', '/a%2', '/a#b', 'http://h/a?b#c'])
    test(`${JSON.stringify(url)} is malformed`, () => {
      assert.equal(parseTarget(url).kind, 'malformed');
    });

  test('may be a URL, as proxies send it', () => {
    const target = parseTarget('HTTP://host:80/fleet/v1/state?unitName=a%20b');
    assert.ok(target.kind === 'path');
    assert.deepEqual([target.path, target.query.get('unitName')], ['/fleet/v1/state', 'a b']);
  });

  test('is a path at last, after one move', () => {
    const piece = fc.constantFrom('/', '.', '..', '/', 'a', '%2e', '%2f', '?', '%41');
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const target = parseTarget(`/${pieces.join('')}`);
        if (target.kind !== 'moved') return;
        assert.doesNotMatch(target.location, /^\/\//);
        assert.equal(parseTarget(target.location).kind, 'path');
      }),
    );
  });
});
