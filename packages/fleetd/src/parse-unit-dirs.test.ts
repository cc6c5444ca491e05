import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUnitDirs } from './parse-unit-dirs.js';

const parse = (text: string) => parseUnitDirs(text, '/var/lib/fleet/units/');

test('directories have names and paths, in their order', () => {
  assert.deepEqual(parse('local:/etc/fleet/units'), [{ name: 'local', path: '/etc/fleet/units' }]);
  assert.deepEqual(parse(' b : /srv//b/./units/ , a:/srv/b/../a:b,'), [
    { name: 'b', path: '/srv/b/units' },
    { name: 'a', path: '/srv/a:b' },
  ]);
  for (const text of ['none', '', ' , ']) assert.deepEqual(parse(text), [], text);
});

test('one inside of another, or beside the copies, is none of our business', () => {
  assert.equal(parse('a:/srv,b:/srv/b,c:/var/lib/fleet,d:/var/lib/fleet/units2').length, 4);
  assert.equal(parse('root:/').length, 1);
});

test('what is wrong is said, with what to write', () => {
  const mistakes: readonly (readonly [text: string, said: RegExp])[] = [
    ['/etc/fleet/units', /must be name:path, .* or none; "\/etc\/fleet\/units" is not/],
    ['none,local:/a', /"none" is not/],
    [':/a', /"" is no name: up to 63/],
    ['.a:/a', /"\.a" is no name/],
    ['a/b:/a', /"a\/b" is no name/],
    ['local:units', /the path of local must begin with a slash/],
    ['local:', /the path of local must begin with a slash/],
    ['local:/proc/1/cwd', /below \/proc or \/sys/],
    ['local:/a,local:/b', /names local twice/],
    ['a:/srv/x,b:/srv//x/', /gives a and b the same path/],
    ['local:/var/lib/fleet/units', /\/var\/lib\/fleet\/units is where fleetd keeps its own copies/],
    ['local:/var/lib/fleet/units/x', /its own copies/],
    ['local:/etc/systemd/system', /\/etc\/systemd\/system are systemd's own/],
    ['local:/run/systemd/system', /systemd's own/],
    ['local:/usr/lib/systemd/system', /systemd's own/],
    ['local:/lib/systemd', /systemd's own/],
  ];
  for (const [text, said] of mistakes) {
    const problem = parse(text);
    assert.equal(typeof problem, 'string', text);
    assert.match(String(problem), said);
    assert.match(String(problem), /^but /);
  }
});
