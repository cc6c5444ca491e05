import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUnitName, unitNameParts } from '@flotilla/unit';
import fc from 'fast-check';
import { compileFolder } from './compile-folder.js';
import type { FolderContent, FolderEntry } from './folder-model.js';
import { safeText } from './safe-text.js';
import { dangling, unreadable } from './testing/folder-cases.js';

const goodText = fc.constantFrom(
  '[Service]\nExecStart=/bin/a\n',
  '[Service]\r\nExecStart=/bin/b',
  '[X-Fleet]\nGlobal=1\n',
);
const badText = fc.constantFrom(
  '',
  ' \n',
  '[X-Fleet]\nGlobel=1\n',
  'oops\n[',
  '# \u001b[2J\n[Service]\n\u001b[2J\n',
  '[X-Fleet]\nMachineOf=a@%i.service a@1.service\n',
);
const text = fc.oneof({ weight: 5, arbitrary: goodText }, badText);
const names = [
  'a.service',
  'b.service',
  'a@.service',
  'a@.timer',
  'a@1.service',
  'a@2.service',
  'b@.service',
  'b@1.service',
];
const unitName = fc.constantFrom(...names);
const bytes = (arbitrary: fc.Arbitrary<string>) => arbitrary.map((each) => new TextEncoder().encode(each));
const bundleText = fc.tuple(
  fc.constantFrom('', '# all\n', 'x\n'),
  fc.array(fc.tuple(fc.oneof({ weight: 8, arbitrary: unitName }, fc.constant('no unit')), text), { maxLength: 4 }),
);
const bundle = bundleText.map(
  ([start, parts]) => start + parts.map((part) => `# ---- ${part[0]}\n${part[1]}\n`).join(''),
);
const list = fc
  .array(fc.constantFrom('1', '2', ' 3 ', '# x', '', 'b c', 'a@1.service', '\u001b'), { maxLength: 5 })
  .map((lines) => lines.join('\n'));

type Pair = readonly [string, FolderEntry];
const entry = (name: fc.Arbitrary<string>, content: fc.Arbitrary<FolderEntry['content']>): fc.Arbitrary<Pair> =>
  fc.tuple(name, content).map(([key, value]) => [key, { name: key, content: value, signature: '' }]);
const link = fc
  .tuple(unitName, fc.constantFrom('', '/x/'), unitName, fc.oneof(fc.constant(dangling), bytes(goodText)))
  .map(([name, way, to, content]): Pair => [name, { name, content, target: way + to, signature: '' }]);
const anyEntry = fc.oneof(
  { weight: 6, arbitrary: entry(unitName, bytes(text)) },
  { weight: 2, arbitrary: link },
  { weight: 2, arbitrary: entry(fc.constantFrom('x.units', 'y.units', 'z\u001b.units'), bytes(bundle)) },
  { weight: 2, arbitrary: entry(fc.constantFrom('a@.instances', 'b@.instances'), bytes(list)) },
  entry(fc.constantFrom(...names, 'x.units', 'a@.instances', 'a.service.d'), fc.constant(unreadable)),
  entry(fc.constantFrom('README', '.a.service', 'my a.service', 'b.service~'), bytes(text)),
);
/** A folder has one entry of a name. */
const folder = fc.array(anyEntry, { maxLength: 8 }).map((pairs) => [...new Map(pairs).values()]);

/** A folder as a value that can be compared. */
function comparable(content: FolderContent): unknown {
  const units = [...content.units].map(([name, unit]) => [
    name,
    { ...unit, bytes: Buffer.from(unit.bytes).toString() },
  ]);
  return { units, problems: content.problems, doubts: names.map((name) => isDoubtful(content, name, 'x.units')) };
}

function isDoubtful(content: FolderContent, name: string, source: string): boolean {
  return content.isDoubtful(parseUnitName(name), source);
}

test('the order of entries plays no part, and the same folder always compiles to the same', () => {
  fc.assert(
    fc.property(
      folder.chain((entries) =>
        fc.tuple(fc.constant(entries), fc.shuffledSubarray(entries, { minLength: entries.length })),
      ),
      ([entries, shuffled]) => {
        const copies = entries.map((each) => ({
          ...each,
          content: each.content instanceof Uint8Array ? Uint8Array.from(each.content) : each.content,
        }));
        const expected = comparable(compileFolder(entries));
        assert.deepEqual(comparable(compileFolder(shuffled)), expected);
        assert.deepEqual(comparable(compileFolder(copies)), expected);
      },
    ),
  );
});

test('each problem names an entry and a line that it has, and can be printed', () => {
  let seen = 0;
  fc.assert(
    fc.property(folder, (entries) => {
      for (const { source, line, message } of compileFolder(entries).problems) {
        const named = entries.find(({ name }) => safeText(name) === source);
        assert.ok(named !== undefined, `there is an entry ${source}`);
        assert.match(source + message, /^\P{Cc}*$/u);
        if (line === undefined) continue;
        const content = named.content instanceof Uint8Array ? Buffer.from(named.content).toString() : '';
        assert.ok(line >= 1 && line <= content.split('\n').length, `${source}:${line}: ${message}`);
        seen++;
      }
    }),
  );
  assert.ok(seen > 20, `too few problems with lines: ${seen}`);
});

test('units come from entries that can be read, with bytes that stand there or in their template', () => {
  let seen = 0;
  fc.assert(
    fc.property(folder, (entries) => {
      const { units } = compileFolder(entries);
      for (const unit of units.values()) {
        const source = entries.find(({ name }) => name === unit.source);
        assert.ok(source !== undefined);
        const isRead = source.content instanceof Uint8Array;
        assert.ok(isRead || source.content === dangling);
        const linked = parseUnitName(
          source.target?.split('/').at(-1) ?? unitNameParts(unit.name).template ?? unit.name,
        );
        const origin = units.get(linked)?.bytes;
        const isOwn = isRead && Buffer.from(source.content).includes(Buffer.from(unit.bytes));
        assert.ok(isOwn || origin === unit.bytes, `${unit.name} of ${unit.source}`);
        seen++;
      }
    }),
  );
  assert.ok(seen > 50, `too few units: ${seen}`);
});

test('a good file that nothing else names is a unit, whatever lies beside it', () => {
  fc.assert(
    fc.property(folder, goodText, (entries, good) => {
      const name = parseUnitName('mine.service');
      const mine = { name, content: new TextEncoder().encode(good), signature: '' };
      const { units, problems } = compileFolder([...entries, mine]);
      assert.equal(Buffer.from(units.get(name)?.bytes ?? []).toString(), good);
      assert.deepEqual(problems, compileFolder(entries).problems);
    }),
  );
});

const damage = fc.constantFrom<(content: Uint8Array) => FolderEntry['content']>(
  () => unreadable,
  () => new Uint8Array(),
  () => new TextEncoder().encode('oops\n['),
  (content) => Buffer.concat([content, Buffer.from('# ---- no unit\nb c\n['), Buffer.of(0xff)]),
);

test('what breaks in a folder takes no unit away and changes none: whatever is another one then is in doubt', () => {
  let seen = 0;
  fc.assert(
    fc.property(folder, fc.nat(), damage, (entries, chosen, spoil) => {
      const victim = entries[chosen % entries.length];
      if (!(victim?.content instanceof Uint8Array)) return;
      const broken = { ...victim, content: spoil(victim.content) };
      const now = compileFolder(entries.map((each) => (each === victim ? broken : each)));
      for (const { name, source, bytes } of compileFolder(entries).units.values()) {
        const unit = now.units.get(name);
        if (unit !== undefined && Buffer.compare(unit.bytes, bytes) === 0) continue;
        assert.ok(isDoubtful(now, name, source), `${name} of ${source} is in doubt, as ${victim.name} is broken`);
        seen++;
      }
    }),
  );
  assert.ok(seen > 20, `too few units were in doubt: ${seen}`);
});

test('a folder without problems leaves nothing in doubt', () => {
  fc.assert(
    fc.property(folder, (entries) => {
      const content = compileFolder(entries);
      if (content.problems.length > 0) return;
      for (const name of names)
        for (const source of [name, 'x.units', 'a@.instances']) assert.ok(!isDoubtful(content, name, source));
    }),
  );
});
