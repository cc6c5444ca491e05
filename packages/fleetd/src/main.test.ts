import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { version } from '@flotilla/errors';

/** Runs fleetd with arguments with which it does not get to work. */
function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const env = { PATH: process.env.PATH, ...environment };
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'main.js'), ...args], {
    env,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('fleetd as a program', () => {
  for (const word of ['version', '-version', '--version']) {
    test(`${word} prints the version`, () => {
      assert.deepEqual(run([word]), { status: 0, stdout: `fleetd version ${version}\n`, stderr: '' });
    });
  }

  test('--help is to be read in a pipe; -help, which is fleet’s, writes where fleet wrote', () => {
    const asked = run(['--help']);
    assert.deepEqual([asked.status, asked.stderr], [0, '']);
    assert.match(asked.stdout, /^Usage: fleetd /);
    assert.deepEqual(run(['-help']), { status: 0, stdout: '', stderr: asked.stdout });
  });

  for (const [what, args, said] of [
    ['a word', ['list-units'], /^fleetd takes no arguments\. Did you mean to invoke fleetctl instead\?\nUsage: /],
    ['an unknown flag', ['--metdata=a=b'], /^fleetd: there is no flag --metdata; did you mean --metadata\?\n/],
    ['a file that is not there', ['-config', '/no/such/file'], /Unable to use config file \/no\/such\/file: /],
    ['a directory', ['--config=/'], /Provided config \/ is a directory, not a file/],
    [
      'a bad value',
      ['--config=/dev/null', '--token-limit=x'],
      /--token-limit: token_limit is "x", but must be a whole/,
    ],
  ] as const) {
    test(`${what} is refused with exit code 1, on standard error`, () => {
      const { status, stdout, stderr } = run(args);
      assert.deepEqual([status, stdout], [1, '']);
      assert.match(stderr, said);
    });
  }

  test('a bad variable is named', () => {
    const { status, stderr } = run(['--config=/dev/null'], { FLEET_DISABLE_ENGINE: 'maybe' });
    assert.equal(status, 1);
    assert.match(stderr, /^ERROR FLEET_DISABLE_ENGINE: disable_engine is "maybe", but must be true or false/m);
  });
});
