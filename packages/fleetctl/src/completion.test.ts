import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { candidates } from './candidates.js';
import type { NameKind } from './catalogue.js';
import { type Bench, ended, openBench } from './testing/process.js';

const names: Readonly<Record<NameKind, readonly string[]>> = {
  unit: ['web.service', 'web@.service', 'web@1.service'],
  machine: ['b1d7', 'b2e8'],
  directory: ['local', 'stack'],
  'lost-directory-host': ['b2e8'],
};

const lines = [
  ['sta', ['start', 'status']],
  ['machine ', ['limit', 'metadata', 'release', 'unfreeze']],
  ['help machine metadata ', ['set', 'unset']],
  ['completion ', ['bash', 'fish', 'zsh']],
  ['start --r', ['--replace', '--request-timeout']],
  ['--debug=true start --all', ['--allow-unknown']],
  ['--endpoint start sto', ['stop']],
  ['list-units -o y', ['yaml']],
  ['list-units --endpoint ', []],
  ['start we', names.unit],
  ['stop web.service web@', ['web@.service', 'web@1.service']],
  ['stop -- --', []],
  ['machine limit b1', ['b1d7']],
  ['dirs ', ['confirm', 'forget', 'local', 'stack']],
  ['dirs local s', ['stack']],
  ['dirs confirm l', ['local']],
  ['dirs forget ', ['b2e8']],
  ['adopt --owner s', ['stack']],
  ['adopt we', names.unit],
  ['list-unit-files --owner ', names.directory],
  ['verify we', []],
  ['apply --pr', ['--prune', '--prune-most']],
  ['diff -o ', ['json', 'name']],
  ['diff units', []],
  ['nosuch ', []],
] as const;
for (const [line, expected] of lines)
  test(`"fleetctl ${line}" may go on with ${expected.length} words`, async () =>
    assert.deepEqual(await candidates(line.split(' '), async (kind) => names[kind]), expected));

/** A bash that has read the script, and completes lines as it would at a prompt. */
async function openBash(
  context: TestContext,
): Promise<Bench & { complete(line: string, endpoint?: string): Promise<string[]> }> {
  const bench = await openBench(context);
  const program = fileURLToPath(new URL('./main.js', import.meta.url));
  await bench.write('fleetctl', `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`);
  await chmod(join(bench.api.folder, 'fleetctl'), 0o755);
  const script =
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is for bash.
    'eval "$(fleetctl completion bash)"; COMP_LINE=$1; COMP_POINT=${#1}; _fleetctl; printf "%s\\n" "${COMPREPLY[@]}"';
  const complete = async (line: string, endpoint = bench.api.endpoint) => {
    const env = { PATH: `${bench.api.folder}:${process.env.PATH}`, FLEETCTL_ENDPOINT: endpoint };
    const { stdout, stderr } = await ended(
      spawn('bash', ['--norc', '-c', script, 'bash', line], { cwd: bench.api.folder, env }),
    );
    assert.equal(stderr, '');
    return stdout.trim().split('\n');
  };
  return { ...bench, complete };
}

test('bash completes commands, flags and units; of words with @, what bash has begun a word with', async (context) => {
  const { api, complete } = await openBash(context);
  for (const name of names.unit) api.add(name, '[Service]\nExecStart=/bin/a\n');
  assert.deepEqual(await complete('fleetctl sta'), ['start', 'status']);
  assert.deepEqual(await complete('fleetctl start --rep'), ['--replace']);
  assert.deepEqual(await complete('fleetctl stop web.service web@'), ['@.service', '@1.service']);
  assert.deepEqual(await complete('fleetctl verify '), ['']);
});

test('bash is not told of an API that is not there', async (context) => {
  const { complete } = await openBash(context);
  for (const endpoint of ['unix:///nowhere.sock', 'nonsense'])
    assert.deepEqual(await complete('fleetctl stop ', endpoint), ['']);
});

test('there is a script for each shell that names its function', async (context) => {
  const { fleetctl } = await openBench(context);
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout, exitCode } = await fleetctl('completion', shell);
    assert.match(stdout, /completion words --/);
    assert.equal(exitCode, 0);
  }
});
