import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { adoptUnit, deleteUnit, orderConfirm, putUnit } from '@flotilla/registry';
import { hashUnitFile, parseUnitFile, parseUnitName } from '@flotilla/unit';
import { local, TestWorld, unitText } from './directories-harness.js';

let world: TestWorld;
beforeEach(() => {
  world = new TestWorld();
});
afterEach(() => world.close());

const web = parseUnitName('web.service');

/** As somebody who uses the API does. */
function put(name: string, text: string) {
  const content = {
    file: new TextEncoder().encode(text),
    hash: hashUnitFile(parseUnitFile(text)),
    isGlobal: false,
    isVerbatim: true,
  };
  return putUnit(world.access, parseUnitName(name), { content, desiredState: 'launched' });
}

/** `a.service` and so on, one for each letter. */
function files(letters: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...letters].map((letter) => [`${letter}.service`, unitText(letter)]));
}

async function unitNames(): Promise<string> {
  return Object.keys(await world.texts())
    .map((name) => name.replace('.service', ''))
    .join('');
}

test('a file that appears is launched, a template is kept ready, its instances are launched', async () => {
  const host = await world.startedHost('m1', { 'web.service': unitText(1), 'foo@.service': unitText('%i') });
  host.folder.write('foo@.instances', '1\n# no more\n');
  await world.settle();
  assert.deepEqual(Object.keys(await world.texts()), ['foo@.service', 'foo@1.service', 'web.service']);
  assert.equal((await world.record('web.service'))?.desiredState, 'launched');
  assert.equal((await world.record('web.service'))?.owner, 'local');
  assert.equal((await world.record('foo@.service'))?.desiredState, 'inactive');
  assert.equal((await world.record('foo@1.service'))?.desiredState, 'launched');
});

test('what others start and stop is obeyed until the file changes', async () => {
  const host = await world.startedHost('m1', { 'web.service': unitText(1) });
  await putUnit(world.access, web, { desiredState: 'loaded' });
  await world.settle(120_000);
  assert.equal((await world.record('web.service'))?.desiredState, 'loaded');
  host.folder.write('web.service', unitText(2));
  await world.settle();
  assert.equal((await world.record('web.service'))?.desiredState, 'launched');
  assert.equal(await world.text('web.service'), unitText(2));
});

test('a file that is removed takes its unit with it, one that is renamed does so in one pass', async () => {
  const host = await world.startedHost('m1', files('abc'));
  host.folder.remove('a.service');
  host.folder.write('d.service', unitText('a'));
  await world.settle();
  assert.equal(await unitNames(), 'bcd');
  assert.equal((await host.row())?.lastChange?.units.join(), 'd.service,a.service');
  assert.deepEqual([(await host.row())?.lastChange?.created, (await host.row())?.lastChange?.removed], [1, 1]);
});

test('hundreds of files are one pass', async () => {
  const names = Array.from({ length: 500 }, (_, at) => [`u${at}.service`, unitText(at)] as const);
  const host = await world.startedHost('m1', Object.fromEntries(names));
  assert.equal(Object.keys(await world.texts()).length, 500);
  assert.equal((await host.row())?.pass, 1);
  assert.equal((await host.row())?.units, 500);
});

test('a template that changes takes its instances along, in one pass', async () => {
  const host = await world.startedHost('m1', { 'foo@.service': unitText('%i'), 'foo@.instances': '1\n2\n' });
  host.folder.write('foo@.service', unitText('9%i'));
  host.folder.write('foo@.instances', '2\n3\n');
  await world.settle();
  assert.deepEqual(await world.texts(), {
    'foo@.service': unitText('9%i'),
    'foo@2.service': unitText('9%i'),
    'foo@3.service': unitText('9%i'),
  });
  assert.equal((await host.row())?.pass, 2);
});

test('a bundle that breaks while a list names one of its units leaves that unit as it was', async () => {
  const host = await world.startedHost('m1', {
    'foo@.service': unitText('%i'),
    'foo@.instances': '1\n',
    'x.units': `# ---- foo@1.service\n${unitText('own')}`,
  });
  assert.equal(await world.text('foo@1.service'), unitText('own'));
  host.folder.write('x.units', '# ---- foo@1.nothing\n');
  await world.settle(60_000);
  assert.equal(await world.text('foo@1.service'), unitText('own'));
});

test('nothing is asked of the store while nothing happens, for an hour', async () => {
  const host = await world.startedHost('m1', { ...files('abc'), 'broken.service': 'no unit\n' });
  host.calls = 0;
  await world.settle(3_600_000);
  assert.equal(host.calls, 0);
});

test('a directory that nobody tells of changes is looked at', async () => {
  const host = world.host('m1');
  host.folder.isWatched = false;
  host.start();
  await world.settle();
  host.folder.write('web.service', unitText(1));
  await world.settle(12_000);
  host.folder.write('web.service', unitText(2));
  await world.settle(12_000);
  assert.equal(await world.text('web.service'), unitText(2));
});

test('a broken file leaves its unit as it is; so does a broken bundle, and one whose separator is broken', async () => {
  const bundle = `# ---- b.service\n${unitText(1)}# ---- c.service\n${unitText(2)}`;
  const host = await world.startedHost('m1', { 'a.service': unitText(1), 'x.units': bundle });
  host.folder.write('a.service', 'no unit\n');
  host.folder.write('x.units', bundle.replace('c.service', 'c.nothing'));
  await world.settle(60_000);
  assert.equal(await unitNames(), 'abc');
  assert.equal((await host.row())?.problemCount, 2);
  assert.equal(host.lines.filter((line) => line.startsWith('a file of a directory is left out')).length, 2);
  host.folder.write('a.service', unitText(2));
  host.folder.write('x.units', bundle);
  await world.settle();
  assert.equal((await host.row())?.problemCount, 0);
  assert.equal(await world.text('a.service'), unitText(2));
});

test('a unit that moves into a bundle with the same bytes is not touched', async () => {
  const host = await world.startedHost('m1', files('ab'));
  const before = await world.record('a.service');
  await putUnit(world.access, parseUnitName('a.service'), { desiredState: 'loaded' });
  host.folder.write('x.units', `# ---- a.service\n${unitText('a')}`);
  host.folder.remove('a.service');
  await world.settle();
  assert.deepEqual(await world.record('a.service'), { ...before, desiredState: 'loaded' });
  assert.deepEqual(await host.claims(), ['a.service', 'b.service']);
  host.folder.write('x.units', `# ---- c.service\n${unitText('c')}`);
  await world.settle();
  assert.equal(await unitNames(), 'bc');
});

test('a unit of the API is left alone, and told of, until it is free', async () => {
  await put('web.service', unitText('api'));
  const host = await world.startedHost('m1', { 'web.service': unitText(1) });
  assert.equal(await world.text('web.service'), unitText('api'));
  assert.deepEqual((await host.row())?.conflicts, [{ unit: 'web.service' }]);
  const { pass } = (await host.row()) ?? {};
  await world.settle(120_000);
  assert.equal((await host.row())?.pass, pass, 'looking again is no pass that changes something');
  await deleteUnit(world.access, web);
  await world.settle(20_000);
  assert.equal(await world.text('web.service'), unitText(1));
  assert.equal((await host.row())?.conflictCount, 0);
});

test('a unit that is given to the directory becomes what its file says, at once', async () => {
  await put('web.service', unitText('api'));
  await world.startedHost('m1', { 'web.service': unitText(1) });
  await adoptUnit(world.access, web, local);
  await world.settle(3_000);
  assert.equal(await world.text('web.service'), unitText(1));
});

test('a unit that was adopted away stays when its file goes, and is a conflict when it changes', async () => {
  const host = await world.startedHost('m1', files('abc'));
  for (const name of ['a.service', 'b.service']) await adoptUnit(world.access, parseUnitName(name), undefined);
  host.folder.remove('a.service');
  host.folder.write('b.service', unitText('new'));
  await world.settle();
  assert.equal(await unitNames(), 'abc');
  assert.deepEqual(await host.claims(), ['b.service', 'c.service']);
  assert.deepEqual((await host.row())?.conflicts, [{ unit: 'b.service' }]);
});

test('most files gone: held back until they are there again', async () => {
  const host = await world.startedHost('m1', files('abcd'));
  const copy = host.folder.copy();
  host.folder.remove('a.service', 'b.service', 'c.service');
  host.folder.write('e.service', unitText('e'));
  await world.settle();
  assert.equal(await unitNames(), 'abcde');
  assert.equal((await host.row())?.held?.why, 'most-gone');
  assert.deepEqual(host.describe()?.[0]?.held, { why: 'most-gone', count: 3 });
  await world.settle(600_000);
  await host.restart();
  await world.settle();
  assert.equal(await unitNames(), 'abcde', 'time and restarts let nothing go');
  host.folder.restore(copy);
  await world.settle();
  assert.equal((await host.row())?.held, undefined);
  assert.equal(await unitNames(), 'abcd');
});

test('what a person confirms is destroyed; a confirmation for other units is not followed', async () => {
  const host = await world.startedHost('m1', files('abcdef'));
  host.folder.remove('a.service', 'b.service', 'c.service', 'd.service');
  await world.settle();
  await host.stop();
  await orderConfirm(world.access, local);
  host.folder.remove('e.service');
  host.start();
  await world.settle();
  assert.equal(await unitNames(), 'abcdef');
  assert.equal((await world.store.range({ from: 'dir-orders/', to: 'dir-orders0' })).kvs.length, 0);
  await orderConfirm(world.access, local);
  await world.settle();
  assert.equal(await unitNames(), 'f');
  assert.equal((await host.row())?.held, undefined);
  assert.equal((await world.store.range({ from: 'dir-orders/', to: 'dir-orders0' })).kvs.length, 0);
});

test('a directory that is gone holds everything back, and goes on when it is back', async () => {
  const host = await world.startedHost('m1', files('ab'));
  host.folder.isThere = false;
  await world.settle(60_000);
  assert.equal(await unitNames(), 'ab');
  assert.equal((await host.row())?.held?.why, 'directory-gone');
  assert.equal((await host.row())?.isThere, false);
  host.folder.isThere = true;
  host.folder.write('c.service', unitText('c'));
  await world.settle(12_000);
  assert.equal(await unitNames(), 'abc');
  assert.equal((await host.row())?.held, undefined);
});

test('an emptied mount destroys nothing, be it of one unit', async () => {
  const host = await world.startedHost('m1', files('a'));
  host.folder.place = '2:2';
  host.folder.clear();
  await world.settle(60_000);
  await host.restart();
  await world.settle();
  assert.equal(await unitNames(), 'a');
  assert.equal((await host.row())?.held?.why, 'another-directory');
  host.folder.write('b.service', unitText('b'));
  await world.settle();
  assert.equal(await unitNames(), 'ab', 'what is put there meanwhile is new');
});

test('a host that is put back to an older state changes and destroys nothing, and follows what is done then', async () => {
  const host = await world.startedHost('m1', files('ab'));
  const copy = { folder: host.folder.copy(), disk: host.disk.content };
  host.folder.write('b.service', unitText('new'));
  host.folder.write('c.service', unitText('c'));
  await world.settle();
  await host.stop();
  host.folder.restore(copy.folder);
  host.disk.content = copy.disk;
  host.folder.write('d.service', unitText('d'));
  host.start();
  await world.settle();
  assert.equal(await world.text('b.service'), unitText('new'));
  assert.equal(await unitNames(), 'abcd');
  assert.equal((await host.row())?.held?.why, 'older-copy');
  await host.restart();
  await world.settle();
  assert.equal(await unitNames(), 'abcd');
  assert.equal(await world.text('b.service'), unitText('new'));
  host.folder.write('b.service', unitText('newer'));
  await world.settle();
  assert.equal(await world.text('b.service'), unitText('newer'));
});

test('a host that is put back while etcd is away destroys nothing when it is there again', async () => {
  const host = await world.startedHost('m1', files('abcd'));
  const copy = { folder: host.folder.copy(), disk: host.disk.content };
  host.folder.write('e.service', unitText('e'));
  await world.settle();
  await host.stop();
  host.folder.restore(copy.folder);
  host.disk.content = copy.disk;
  host.start();
  host.store.cut();
  await world.settle(60_000);
  host.store.heal();
  await world.settle(20_000);
  assert.equal(await unitNames(), 'abcde');
  assert.equal((await host.row())?.held?.why, 'older-copy');
});

test('the same directory on two hosts: the last one to let go destroys; who comes with an empty copy, nothing', async () => {
  const [one, other] = [await world.startedHost('m1', files('abc')), await world.startedHost('m2', files('ab'))];
  await world.startedHost('m3');
  one.folder.remove('a.service', 'c.service');
  await world.settle();
  assert.equal(await unitNames(), 'ab');
  other.folder.remove('a.service');
  await world.settle();
  assert.equal(await unitNames(), 'b');
});

test('who comes with an old copy changes nothing', async () => {
  await world.startedHost('m1', { 'web.service': unitText(2) });
  const other = await world.startedHost('m2', { 'web.service': unitText(1) });
  assert.equal(await world.text('web.service'), unitText(2));
  other.folder.write('web.service', unitText(3));
  await world.settle();
  assert.equal(await world.text('web.service'), unitText(3));
});

test('a host whose directory was configured for less time than its files take to settle leaves no row behind', async () => {
  const host = world.host('m1');
  host.folder.write('a.service', unitText('a'));
  host.start();
  await world.settle(300);
  await host.stop();
  assert.ok(await host.row());
  host.start({ isConfigured: false });
  await world.settle();
  assert.equal(await host.row(), undefined);
});

test('a directory that is not configured any more holds its units until a person lets them go', async () => {
  const host = await world.startedHost('m1', files('ab'));
  await host.stop();
  host.start({ isConfigured: false });
  await world.settle();
  assert.equal(await unitNames(), 'ab');
  assert.equal((await host.row())?.held?.why, 'not-configured');
  await orderConfirm(world.access, local);
  await world.settle();
  assert.equal(await unitNames(), '');
  assert.equal(await host.row(), undefined);
  assert.equal(host.disk.content, undefined);
});
