import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '@flotilla/client';
import { FleetError } from '@flotilla/errors';
import { TestClock } from '@flotilla/runtime';
import { clipLine } from './clip-line.js';
import { chooseListing, type ListFlags, type ListLayout } from './list-output.js';
import { createLocalHost } from './local-host.js';
import { type List, showList } from './show-list.js';
import { createScreen } from './terminal.js';
import { TestTerminal } from './testing/test-terminal.js';
import { UnitReader } from './unit-reader.js';
import { frameLines } from './watch-frame.js';
// Loaded before the test clock's first step, which waits for promises but not for files.
import './watch-list.js';
import 'yaml';

interface Ship {
  readonly name: string;
  readonly port: string;
}

const layout: ListLayout<Ship> = {
  cells: { ship: ({ name }) => name, port: ({ port }) => port },
  defaultFields: 'ship,port',
  wideFields: 'port,ship',
  keyFields: ['ship'],
  tones: { port: ({ port }) => (port === 'sunk' ? 'bad' : undefined) },
  sayProblem: (message) => `Error retrieving ships: ${message}`,
  nameOf: ({ name }) => name,
  entityOf: (ship) => ship,
};

/** A list that is watched, and what becomes of it: the next look finds the list, or fails. */
async function watch(terminal: TestTerminal, flags: Partial<ListFlags> = {}) {
  const clock = new TestClock();
  const client = createClient({ endpoint: 'unix:///nowhere' });
  const screen = await createScreen(terminal);
  const context = { client, reader: new UnitReader(client), host: createLocalHost({ isUser: false }), screen, clock };
  let now: List<Ship> | FleetError = ships('one@a', 'two@b');
  const listing = chooseListing<Ship>({ legend: true, watch: true, ...flags }, layout);
  void showList(context, listing, async () => {
    if (now instanceof FleetError) throw now;
    return now;
  });
  await clock.advance(0);
  return {
    first: terminal.take(),
    /** What a look adds that finds this. */
    look: async (found: List<Ship> | FleetError) => {
      now = found;
      await clock.advance(2000);
      return terminal.take();
    },
  };
}

function ships(...places: readonly string[]): List<Ship> {
  return { items: places.map((place) => ({ name: place.split('@')[0] ?? '', port: place.split('@')[1] ?? '' })) };
}

/** With escapes as characters that are seen. */
const plain = (text: string) => text.replaceAll('\x1b', '~');

const away = new FleetError('connection-failed', 'cannot reach fleetd');

test('in a pipe, the list is followed by each row that is new, has changed or is gone', async () => {
  const { first, look } = await watch(new TestTerminal(false));
  assert.equal(first, 'SHIP\tPORT\none\ta\ntwo\tb\n');
  assert.equal(await look(ships('one@a', 'two@b')), '');
  assert.equal(await look(ships('one@c', 'three@b')), 'two\t-\t(gone)\none\tc\nthree\tb\n');
  assert.equal(await look(ships('one@c', 'two@b', 'three@b')), 'two\tb\n');
});

test('as JSON, each change is a line; as YAML, a document; names appear', async () => {
  const json = await watch(new TestTerminal(false), { output: 'json' });
  const [one] = json.first.split('\n');
  assert.equal(one, '{"change":"added","object":{"name":"one","port":"a"}}');
  assert.equal(
    await json.look(ships('two@c')),
    '{"change":"removed","object":{"name":"one","port":"a"}}\n{"change":"changed","object":{"name":"two","port":"c"}}\n',
  );
  const yaml = await watch(new TestTerminal(false), { output: 'yaml' });
  assert.match(yaml.first, /^---\nchange: added\nobject:\n {2}name: one\n {2}port: a\n---\n/);
  const names = await watch(new TestTerminal(true), { output: 'name' });
  assert.equal(names.first, 'one\ntwo\n');
  assert.equal(await names.look(ships('two@c', 'six@a')), 'six\n');
});

test('an API that is away is told of once, and so is that it is back; what is below a list, when it is new', async () => {
  const terminal = new TestTerminal(false);
  const { look } = await watch(terminal, { output: 'json' });
  assert.equal(await look(away), 'Error: cannot reach fleetd; it is tried again\n');
  assert.equal(await look(away), '');
  const noted: List<Ship> = { ...ships('one@a', 'two@b'), notes: [{ tone: 'bad', text: 'Storm!' }] };
  assert.equal(await look(noted), 'Storm!\nThe list is up to date again.\n');
  assert.equal(await look(noted), '');
});

test('an API that is away from the start is an error', async () => {
  const terminal = new TestTerminal(false);
  const client = createClient({ endpoint: 'unix:///nowhere' });
  const context = {
    client,
    reader: new UnitReader(client),
    host: createLocalHost({ isUser: false }),
    screen: await createScreen(terminal),
    clock: new TestClock(),
  };
  const listing = chooseListing<Ship>({ legend: true, watch: true }, layout);
  await assert.rejects(
    showList(context, listing, () => Promise.reject(away)),
    { code: 'connection-failed', message: 'Error retrieving ships: cannot reach fleetd' },
  );
});

test('on a terminal the list is drawn where it stands, when it changed or the terminal did, and Ctrl-C gives it back', async () => {
  const terminal = new TestTerminal(true);
  terminal.size = { columns: 13, rows: 4 };
  const { first, look } = await watch(terminal);
  assert.equal(
    first,
    '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[HSHIP    PORT\x1b[K\r\none     a\x1b[K\r\ntwo     b\x1b[K\x1b[J',
  );
  assert.equal(await look(ships('one@a', 'two@b')), '');
  const five = ships('one@a', 'two@b', 'three@c', 'four@d', 'five@e');
  assert.match(plain(await look(five)), /^~\[HSHIP.*\r\none.*\r\ntwo.*\r\n\.\.\. and 3 m…~\[K~\[J$/);
  terminal.resize(40, 10);
  assert.match(plain(terminal.take()), /^~\[HSHIP.*\r\none.*\r\ntwo.*\r\nthree.*\r\nfour.*\r\nfive {4}e~\[K~\[J$/);
  assert.match(plain(await look(away)), /\r\nfive.*\r\nError: cannot reach fleetd; this is wh…~\[K~\[J$/);
  assert.match(plain(await look(five)), /\r\nfive {4}e~\[K~\[J$/);
  terminal.suspend();
  assert.equal(terminal.take(), '\x1b[?7h\x1b[?25h\x1b[?1049l');
  terminal.resume();
  assert.match(plain(terminal.take()), /^~\[\?1049h~\[\?25l~\[\?7l~\[HSHIP/);
  terminal.interrupt();
  const end = terminal.take();
  assert.ok(end.startsWith('\x1b[?7h\x1b[?25h\x1b[?1049lSHIP'), JSON.stringify(end));
  assert.match(end, /\nfive {4}e\n$/);
});

test('colours neither move columns nor count as a change', async () => {
  const terminal = new TestTerminal(true, { hasColours: true });
  const { look } = await watch(terminal);
  assert.match(plain(await look(ships('one@sunk'))), /one {5}~\[31msunk~\[39m~\[K/);
});

test('a frame has the head, what fits of the rows, how many do not, and at least some of the notes', () => {
  const rows = Array.from({ length: 30 }, (_, index) => `row ${index}`);
  const notes = ['n1', 'n2', 'n3', 'n4', 'n5'];
  const lines = frameLines({ head: ['HEAD'], rows, notes }, { columns: 80, rows: 10 });
  assert.deepEqual(lines, ['HEAD', ...rows.slice(0, 5), '... and 25 more', 'n1', 'n2', 'n3']);
  const few = frameLines({ head: [], rows: ['a'], notes }, { columns: 80, rows: 10 });
  assert.deepEqual(few, ['a', ...notes]);
  assert.equal(frameLines({ head: ['HEAD'], rows, notes }, { columns: 80, rows: 1 }).length, 1);
});

test('a line is cut where the terminal ends; tabs are as wide as they are, colours take no room and end', () => {
  assert.equal(clipLine('abc', 3), 'abc');
  assert.equal(clipLine('abcd', 3), 'ab…');
  assert.equal(clipLine('a\tb', 9), `a${' '.repeat(7)}b`);
  assert.equal(clipLine('a\tbc', 9), `a${' '.repeat(7)}…`);
  assert.equal(clipLine('\x1b[31mabcd\x1b[39m', 4), '\x1b[31mabcd\x1b[39m');
  assert.equal(clipLine('\x1b[31mabcde\x1b[39m', 4), '\x1b[31mabc…\x1b[0m');
});
