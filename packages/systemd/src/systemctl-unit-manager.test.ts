import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { hashUnitFile, parseUnitFile, parseUnitName } from '@flotilla/unit';
import { SystemdUnreachable } from './errors.js';
import type { CommandResult } from './run-command.js';
import { SystemctlUnitManager } from './systemctl-unit-manager.js';

const ok: CommandResult = { exitCode: 0, stdout: '', stderr: '' };
const a = parseUnitName('a.service');
const encoder = new TextEncoder();
const text = '[Service]\nExecStart=/bin/true\n';

let directory: string;
let calls: string[];
let answer: (line: string) => CommandResult | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flotilla-systemd-'));
  calls = [];
  answer = () => undefined;
});
afterEach(() => rm(directory, { recursive: true }));

/** Where systemd looks for the machine's units. */
const unitPath = '/run/systemd/transient /etc/systemd/system /run/systemd/system /usr/lib/systemd/system';

/** Talks to a systemctl that does nothing, and says so. */
function open(options: { readonly clock?: TestClock; readonly user?: boolean } = {}) {
  const { clock = new TestClock(), user = false } = options;
  return new SystemctlUnitManager({
    unitsDirectory: directory,
    user,
    clock,
    log: silentLogger,
    hostRoot: join(directory, 'root'),
    run: async (program, args) => {
      // Asked once in a process's life.
      if (args.includes('--property=UnitPath')) return { ...ok, stdout: `${unitPath}\n` };
      const line = [program, ...args].join(' ');
      calls.push(line);
      const links = args.filter((arg) => arg.startsWith(directory));
      const stderr = links.map((link) => `Created symlink /run/systemd/system/${link.split('/').at(-1)} → ${link}.`);
      return answer(line) ?? { ...ok, stderr: stderr.join('\n') };
    },
  });
}

/** What `systemctl list-units` prints. */
function listed(...units: readonly (readonly [name: string, load: string, active: string])[]): string {
  return JSON.stringify(units.map(([unit, load, active]) => ({ unit, load, active, sub: active, description: '' })));
}

test('new files are linked in one call, and systemd is not reloaded for them', async () => {
  const files = ['a.service', 'b.service'].map((name) => ({
    name: parseUnitName(name),
    content: encoder.encode(text),
  }));
  assert.equal((await open().load(files)).size, 0);
  assert.deepEqual(calls, [
    `systemctl link --runtime --no-reload --force -- ${directory}/a.service ${directory}/b.service`,
  ]);
  assert.equal(await readFile(join(directory, 'a.service'), 'utf8'), text);
});

test('files with an [Install] section are enabled, with one reload for all', async () => {
  const content = encoder.encode(`${text}[Install]\nWantedBy=multi-user.target\n`);
  const files = ['a.service', 'b.service'].map((name) => ({ name: parseUnitName(name), content }));
  await open().load(files);
  assert.deepEqual(calls, [
    `systemctl enable --runtime --no-reload --force -- ${directory}/a.service ${directory}/b.service`,
    'systemctl daemon-reload',
  ]);
});

test('a changed file costs a reload only if systemd holds the old one', async () => {
  const manager = open();
  await manager.load([{ name: a, content: encoder.encode(text) }]);
  for (const [held, reloads] of [
    ['[]', 0],
    ['[{"unit":"a.service","active":"active"}]', 1],
  ] as const) {
    calls = [];
    answer = (line) => (line.startsWith('systemctl list-units') ? { ...ok, stdout: held } : ok);
    await manager.load([{ name: a, content: encoder.encode(`${text}# ${reloads}\n`) }]);
    assert.equal(calls.filter((line) => line.endsWith('daemon-reload')).length, reloads);
  }
});

test("the calling user's systemd is asked when told so", async () => {
  await open({ user: true }).start([a]);
  assert.deepEqual(calls, ['systemctl --user start --no-block -- a.service']);
});

test('a name can not become an option', async () => {
  await open().stop([parseUnitName('-H.service')]);
  assert.deepEqual(calls, ['systemctl stop --no-block -- -H.service']);
});

for (const [what, load, active] of [
  ['that nobody runs', undefined, undefined],
  ['of a unit that runs', 'loaded', 'active'],
] as const)
  test(`a link that was gone ${what} costs ${active === undefined ? 'no' : 'a'} reload`, async () => {
    const manager = open();
    const files = [{ name: a, content: encoder.encode(text) }];
    await manager.load(files);
    calls = [];
    const held = active === undefined ? [] : [{ unit: a, load, active }];
    answer = (line) => (line.includes('list-units') ? { ...ok, stdout: JSON.stringify(held) } : undefined);
    await manager.load(files);
    assert.equal(calls.includes('systemctl daemon-reload'), active !== undefined);
  });

test('systemd out of reach is an error, not the fault of units', async () => {
  answer = () => ({ exitCode: 1, stdout: '', stderr: 'Failed to connect to bus: No such file or directory\n' });
  await assert.rejects(open().start([a]), SystemdUnreachable);
});

test('a unit file is hashed anew when it has changed; what does not parse has no hash', async () => {
  const manager = open();
  await writeFile(join(directory, 'a.service'), text);
  await writeFile(join(directory, 'README'), 'not a unit');
  const hashes = async () => [...(await manager.listFiles())].map(([name, { hash }]) => [name, hash]);
  assert.deepEqual(await hashes(), [[a, hashUnitFile(parseUnitFile(text))]]);
  await writeFile(join(directory, 'a.service'), '[Service\nExecStart=/bin/true\n');
  assert.deepEqual(await hashes(), [[a, undefined]]);
});

test('looks often after an action and then ever more rarely', async () => {
  const clock = new TestClock();
  const manager = open({ clock });
  answer = (line) => (line.includes('list-units') ? { ...ok, stdout: listed([a, 'loaded', 'active']) } : undefined);
  await manager.listUnits([a]);
  let told = 0;
  const subscription = manager.onChange(() => told++);
  const looksIn = async (ms: number) => {
    calls = [];
    await clock.advance(ms);
    return calls.length;
  };
  assert.equal(await looksIn(60_000), 30);
  await manager.start([a]);
  assert.ok((await looksIn(500)) >= 5);
  await looksIn(10_000);
  assert.equal(await looksIn(60_000), 30);
  assert.equal(told, 0);
  subscription.close();
  assert.equal(await looksIn(60_000), 0);
});

test('a unit that systemd does not find although its file is linked has failed; others have not', async () => {
  const manager = open();
  const files = [a, parseUnitName('b.scope')].map((name) => ({ name, content: encoder.encode(text) }));
  assert.equal((await manager.load(files)).size, 0);
  const rows = listed(['a.service', 'loaded', 'inactive'], ['b.scope', 'not-found', 'inactive']);
  answer = (line) => (line.includes('list-units') ? { ...ok, stdout: rows } : ok);
  calls = [];
  assert.deepEqual([...(await manager.load(files)).keys()], ['b.scope']);
  assert.deepEqual(
    calls.map((line) => line.split(' ').slice(0, 2).join(' ')),
    ['systemctl link', 'systemctl daemon-reload', 'systemctl list-units'],
  );
});

for (const [what, place] of [
  ['a file of the operator', '/etc/systemd/system'],
  ['a unit that a program has made', '/run/systemd/transient'],
  ['a file where the links are', '/run/systemd/system'],
] as const)
  test(`${what} keeps its name to itself`, async () => {
    await mkdir(join(directory, 'root', place), { recursive: true });
    await writeFile(join(directory, 'root', place, a), text);
    const manager = open();
    const expected = [[a, `the host has a unit of its own under this name: ${place}/${a}`]];
    assert.deepEqual([...(await manager.load([{ name: a, content: encoder.encode(text) }]))], expected);
    assert.deepEqual([...(await manager.stop([a]))], expected);
    assert.deepEqual(calls, []);
  });

for (const [active, isRefused] of [
  ['inactive', false],
  ['failed', false],
  ['active', true],
  ['activating', true],
] as const)
  test(`a distribution's unit that is ${active} ${isRefused ? 'keeps its name to itself' : 'gives way'}`, async () => {
    const place = '/usr/lib/systemd/system';
    await mkdir(join(directory, 'root', place), { recursive: true });
    await writeFile(join(directory, 'root', place, a), text);
    answer = (line) =>
      line.includes('list-units') ? { ...ok, stdout: JSON.stringify([{ unit: a, active }]) } : undefined;
    const failures = await open().load([{ name: a, content: encoder.encode(text) }]);
    const expected = `the host runs a unit of its own under this name: it is ${active}`;
    assert.deepEqual([...failures], isRefused ? [[a, expected]] : []);
    // What gives way is in systemd's memory all the same.
    assert.equal(calls.includes('systemctl daemon-reload'), !isRefused);
  });

test('a mask is not a unit, nor is a lasting link to our file; an alias of another unit is', async () => {
  const place = join(directory, 'root/etc/systemd/system');
  await mkdir(place, { recursive: true });
  const [masked, linked, alias] = ['masked', 'linked', 'alias'].map((name) => parseUnitName(`${name}.service`));
  assert.ok(masked !== undefined && linked !== undefined && alias !== undefined);
  await symlink('/dev/null', join(place, masked));
  await symlink(join(directory, linked), join(place, linked));
  await symlink('/usr/lib/systemd/system/other.service', join(place, alias));
  assert.deepEqual([...(await open().start([masked, linked, alias])).keys()], [alias]);
});
