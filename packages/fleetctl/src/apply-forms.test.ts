import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { run } from './run.js';
import { folderOf, runWords } from './testing/in-process.js';
import { one, two } from './testing/lines.js';
import { MemoryApi } from './testing/memory-api.js';
import { TestTerminal } from './testing/test-terminal.js';

async function openBench(context: TestContext, files: Readonly<Record<string, string>>) {
  const api = await MemoryApi.open();
  context.after(() => api.close());
  const folder = await folderOf(context, files);
  const environment = { FLEETCTL_ENDPOINT: api.endpoint };
  return {
    api,
    folder,
    fleetctl: (...words: readonly string[]) => runWords([...words, folder], environment),
    /** What a terminal would show. */
    async show(terminal: TestTerminal, ...words: readonly string[]) {
      await run({ words: [...words, folder], environment, terminal });
      return terminal.take();
    },
  };
}

test('diff -o json has all units, how they differ and whose they are', async (context) => {
  const { api, fleetctl, folder } = await openBench(context, {
    'a.service': one,
    'b.service': two,
    'c.service': one,
    'all.units': `# ---- d.service\n${one}`,
  });
  api.add('a.service', `# why\n${one}`, 'launched');
  api.add('b.service', one, 'loaded');
  api.add('c.service', one, 'launched');
  api.own('b.service', 'local');
  const { stdout, stderr, exitCode } = await fleetctl('diff', '-o', 'json');
  const { counts, refusals, units } = JSON.parse(stdout);
  assert.deepEqual(counts, { created: 1, changed: 1, unchanged: 1, destroyed: 0, kept: 0, conflict: 1 });
  assert.deepEqual(refusals, ['b.service belongs to the directory "local"']);
  assert.match(stderr, /^Error: b\.service belongs to the directory "local"\n/);
  const [a, ...others] = units;
  const { diff, ...rest } = a;
  assert.match(diff, /^--- a\/a\.service\t\(cluster\)\n\+\+\+ b\/.*\n@@ -1,3 \+1,2 @@\n-# why\n/);
  const launched = { desiredState: 'launched', line: 1 };
  assert.deepEqual(rest, {
    ...launched,
    action: 'changed',
    isCommentOnly: true,
    name: 'a.service',
    source: `${folder}/a.service`,
  });
  assert.deepEqual(others, [
    {
      action: 'conflict',
      desiredState: 'loaded',
      line: 1,
      name: 'b.service',
      owner: 'local',
      source: `${folder}/b.service`,
    },
    { ...launched, action: 'unchanged', name: 'c.service', source: `${folder}/c.service` },
    { action: 'created', line: 2, name: 'd.service', source: `${folder}/all.units` },
  ]);
  assert.equal(exitCode, 1);
});

test('diff -o json names what is wrong with files', async (context) => {
  const { fleetctl, folder } = await openBench(context, { 'a.service': '[Service\n' });
  const { stdout, exitCode } = await fleetctl('diff', '-o', 'json');
  const { problems, refusals, units } = JSON.parse(stdout);
  assert.deepEqual(
    problems.map(({ source, line }: { source: string; line: number }) => [source, line]),
    [[`${folder}/a.service`, 1]],
  );
  assert.match(refusals[0], /a\.service:1: /);
  assert.deepEqual([units, exitCode], [[], 1]);
});

test('apply -o json prints nothing else, and says what came of each unit', async (context) => {
  const { api, fleetctl } = await openBench(context, {
    'done.service': one,
    'failed.service': one,
    'same.service': one,
    't@.service': one,
  });
  for (const name of ['gone.service', 'same.service']) api.add(name, one, 'launched');
  for (const name of ['gone.service', 'same.service']) api.own(name, 'shop', ['apply']);
  api.tempers.set('failed.service', { started: [['failed', 'failed']] });
  const { stdout, exitCode } = await fleetctl('apply', '-o', 'json', '--owner=shop', '--prune');
  const units = unitsOf(stdout);
  assert.deepEqual(units.get('done.service'), {
    action: 'created',
    machineID: units.get('done.service')?.machineID,
    outcome: 'done',
  });
  assert.match(String(units.get('done.service')?.machineID), /^\w{32}$/);
  assert.equal(units.get('failed.service')?.outcome, 'failed');
  assert.match(String(units.get('failed.service')?.why), /systemd says failed/);
  assert.deepEqual(units.get('same.service'), { action: 'unchanged', desiredState: 'launched' });
  assert.deepEqual(units.get('t@.service'), { action: 'created', outcome: 'done' });
  assert.deepEqual(units.get('gone.service'), {
    action: 'destroyed',
    desiredState: 'launched',
    outcome: 'done',
  });
  assert.equal(exitCode, 1);
});

test('apply -o json says what units wait for', async (context) => {
  const { api, fleetctl } = await openBench(context, { 'a.service': one });
  api.tempers.set('a.service', { reason: 'no machine has role=db' });
  const { stdout, exitCode } = await fleetctl('apply', '-o', 'json', '--wait=0');
  const { outcome, why } = unitsOf(stdout).get('a.service') ?? {};
  assert.equal(outcome, 'pending');
  assert.match(String(why), /./);
  assert.equal(exitCode, 2);
});

test('apply -o json says which units were refused, and that others were not destroyed for it', async (context) => {
  const { api, fleetctl } = await openBench(context, { 'a.service': one, 'refused.service': one });
  api.add('gone.service', one, 'launched');
  api.own('gone.service', 'shop', ['apply']);
  api.refusals.set('refused.service', [409, 'no']);
  const { stdout, exitCode } = await fleetctl('apply', '-o', 'json', '--owner=shop', '--prune', '--no-block');
  const units = unitsOf(stdout);
  assert.deepEqual(
    [...units].map(([name, { outcome, why }]) => [name, outcome, why]),
    [
      ['a.service', 'asked', undefined],
      ['refused.service', 'refused', 'no'],
      ['gone.service', 'refused', 'not everything else was taken'],
    ],
  );
  assert.equal(exitCode, 1);
});

/** By name, without what they are and where they come from. */
function unitsOf(stdout: string): Map<string, Record<string, unknown>> {
  const { units } = JSON.parse(stdout);
  return new Map(
    units.map(({ name, line: _, source: __, owner: ___, ...unit }: Record<string, unknown>) => [name, unit]),
  );
}

test('diffs are in colours on a terminal, and can do nothing to it', async (context) => {
  const { api, show } = await openBench(context, { 'a.service': `# \x1b[2J\r\n${one}` });
  api.add('a.service', `# old\n${one}`, 'launched');
  const coloured = await show(new TestTerminal(true, { hasColours: true }), 'diff');
  const red = (text: string) => `\x1b[31m${text}\x1b[39m\n`;
  const green = (text: string) => `\x1b[32m${text}\x1b[39m\n`;
  assert.ok(coloured.includes(`${red('-# old')}${green('+# ^[[2J^M')} [Service]\n`), JSON.stringify(coloured));
  const plain = await show(new TestTerminal(true), 'diff');
  assert.ok(plain.includes('\n-# old\n+# ^[[2J^M\n'), JSON.stringify(plain));
  const piped = await show(new TestTerminal(false), 'diff');
  assert.ok(piped.includes('\n-# old\n+# \x1b[2J\r\n'), JSON.stringify(piped));
});

test('many files are compared by a list; only those that differ are read, and only to show how', async (context) => {
  const names = Array.from({ length: 250 }, (_, index) => `u${index}.service`);
  const files = Object.fromEntries(names.map((name) => [name, one]));
  const { api, fleetctl, folder } = await openBench(context, { ...files, 'u7.service': `# new\n${one}` });
  for (const name of names) api.add(name, one, 'launched');
  const requestsOf = async (...words: readonly string[]) => {
    api.requests.length = 0;
    const { stderr } = await fleetctl(...words);
    assert.equal(stderr, '');
    return api.requests.filter((request) => !request.startsWith('GET units?'));
  };
  assert.deepEqual(await requestsOf('diff'), ['GET units/u7.service']);
  assert.deepEqual((await requestsOf('apply', '--no-block')).slice(-1), ['PUT units/u7.service']);
  assert.deepEqual(await requestsOf('apply'), [], folder);
});

test('when the API fails in between, it is said that some may be done', async (context) => {
  const { api, fleetctl } = await openBench(context, { 'a.service': one, 'b.service': one });
  api.refusals.set('b.service', [503, 'no etcd']);
  const { stderr, exitCode } = await fleetctl('apply');
  assert.match(stderr, /^Some of it may be done: the same line again does the rest.*\nError: no etcd\n/);
  assert.equal(exitCode, 1);
  assert.ok(api.unit('a.service'));
});

test('a server that is too old for owners is told of nothing', async (context) => {
  const { api, fleetctl } = await openBench(context, { 'a.service': one });
  api.directories.isKnown = false;
  const { stderr, exitCode } = await fleetctl('apply', '--owner=shop');
  assert.match(stderr, /older than this fleetctl/);
  assert.equal(exitCode, 1);
  assert.equal(api.unit('a.service'), undefined);
});
