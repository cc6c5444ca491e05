import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUnitName } from '@flotilla/unit';
import { compileFolder } from './compile-folder.js';
import { compile, dangling, describeCases, good, toEntries, unreadable } from './testing/folder-cases.js';

describeCases('unit files', [
  {
    says: 'are units',
    files: { 'b.service': good, 'a.timer': good },
    units: ['a.timer a.timer:1', 'b.service b.service:1'],
  },
  { says: 'lie beside what is none', files: { README: 'x', '.a.service': good, 'a.service~': 'x' } },
  {
    says: 'that are gone are gone',
    files: { 'a.service': good },
    units: ['a.service a.service:1'],
    gone: ['b.service', 'a.service'],
  },
  {
    says: 'are refused with line and option',
    files: { 'a.service': `${good}[X-Fleet]\n# x\nGlobel=true\n`, 'b.service': good },
    units: ['b.service b.service:1'],
    problems: [/^a\.service:5 \[X-Fleet\] Globel= is not a known option; did you mean Global=\?$/],
    doubtful: ['a.service', 'a.service old.units'],
  },
  {
    says: 'cannot be empty',
    files: { 'a.service': '' },
    problems: [/^a\.service: there is nothing in it/],
    doubtful: ['a.service'],
  },
  {
    says: 'cannot be only white space',
    files: { 'a.service': ' \r\n\t\n' },
    problems: [/nothing in it/],
    doubtful: ['a.service'],
  },
  {
    says: 'that a crash filled with zeros',
    files: { 'a.service': '\0\0\0' },
    problems: [/nothing in it/],
    doubtful: ['a.service'],
  },
  {
    says: 'cannot be only comments',
    files: { 'a.service': '# x\n[Service]\n' },
    problems: [/^a\.service: the unit file has no options$/],
  },
  {
    says: 'are UTF-8, comments too',
    files: { 'a.service': Buffer.concat([Buffer.from(`${good}# `), Buffer.of(0xff)]) },
    problems: [/^a\.service:3 is not valid UTF-8$/],
    doubtful: ['a.service'],
  },
  {
    says: 'do not show their control characters',
    files: { 'a.service': '[Service]\n\u001b[2J\n' },
    problems: [/^a\.service:2 [^\p{Cc}]*$/u],
  },
  {
    says: 'that cannot be read are told',
    files: { 'a.service': unreadable, 'b.service': good },
    units: ['b.service b.service:1'],
    problems: [/^a\.service: cannot be read$/],
    doubtful: ['a.service', 'a.service old.units'],
    gone: ['c.service'],
  },
  {
    says: 'have no drop-ins',
    files: { 'a.service': good, 'a.service.d': { kind: 'drop-in', message: 'no drop-ins' } },
    units: ['a.service a.service:1'],
    problems: [/^a\.service\.d: no drop-ins$/],
  },
  {
    says: 'with a wrong name',
    files: { 'my web.service': good },
    problems: [/^my web\.service: this is not the name/],
    gone: ['web.service'],
  },
]);

describeCases('duplicates', [
  {
    says: 'of a file and a bundle count nowhere',
    files: { 'a.service': good, 'x.units': `# ---- a.service\n${good}# ---- b.service\n${good}` },
    units: ['b.service x.units:5'],
    problems: [
      /^a\.service:1 a\.service is also in x\.units:1: keep one/,
      /^x\.units:1 a\.service is also in a\.service:1: keep one/,
    ],
    doubtful: ['a.service', 'a.service x.units'],
  },
  {
    says: 'within a bundle count nowhere',
    files: { 'x.units': `# ---- a.service\n${good}# ---- a.service\n${good}# ---- a.service\n${good}` },
    problems: [/^x\.units:1 .* x\.units:4, x\.units:7: keep/, /^x\.units:4 .* x\.units:1, x\.units:7/, /^x\.units:7 /],
    doubtful: ['a.service x.units'],
  },
  {
    says: 'of what cannot be read count nowhere',
    files: { 'a.service': unreadable, 'x.units': `# ---- a.service\n${good}` },
    problems: [
      /^a\.service: cannot be read$/,
      /^a\.service:1 .*also in x\.units:1/,
      /^x\.units:1 .*also in a\.service:1/,
    ],
    doubtful: ['a.service'],
  },
  {
    says: 'of a template leave its instances in doubt',
    files: { 'a@.service': good, 'x.units': `# ---- a@.service\n${good}`, 'a@.instances': '1' },
    problems: [/^a@\.service:1 /, /^x\.units:1 /],
    doubtful: ['a@1.service a@.instances', 'a@.service'],
    gone: ['a@2.service a@.instances'],
  },
]);

describeCases('links', [
  {
    says: 'have the name of the link',
    files: { 'a.service -> b.service': good, 'b.service': good },
    units: ['a.service a.service:1', 'b.service b.service:1'],
  },
  {
    says: 'to a template make an instance',
    files: { 'a@1.service -> a@.service': good, 'a@.service': good },
    units: ['a@.service a@.service:1', 'a@1.service a@1.service:1'],
  },
  {
    says: 'to nothing make an instance of a template of that name',
    files: { 'a@1.service -> /else/where/a@.service': dangling, 'x.units': `# ---- a@.service\n${good}` },
    units: ['a@.service x.units:2', 'a@1.service a@1.service:1'],
  },
  {
    says: 'to nothing without such a template',
    files: { 'a@1.service -> b@.service': dangling, 'a@.service': good },
    units: ['a@.service a@.service:1'],
    problems: [/^a@1\.service: is a link to nothing$/],
    doubtful: ['a@1.service'],
  },
  {
    says: 'to nothing are no instances of units',
    files: {
      'a@1.service -> b.service': dangling,
      'b.service': good,
      'c.service -> a@.service': dangling,
      'a@.service': good,
    },
    units: ['a@.service a@.service:1', 'b.service b.service:1'],
    problems: [/^a@1\.service: /, /^c\.service: /],
  },
  {
    says: 'to a broken template have nothing to add',
    files: { 'a@1.service -> a@.service': 'oops\n[', 'a@2.service -> a@.service': dangling, 'a@.service': 'oops\n[' },
    problems: [/^a@\.service:2 /],
    doubtful: ['a@1.service', 'a@2.service'],
  },
  {
    says: 'to another file of the name of a template have its content',
    files: { 'a@1.service -> /b/a@.service': `${good}#\n`, 'a@.service': '[' },
    units: ['a@1.service a@1.service:1'],
    problems: [/^a@\.service:1 /],
  },
  {
    says: 'to what cannot be read',
    files: { 'a@1.service -> a@.service': unreadable, 'a@.service': good },
    units: ['a@.service a@.service:1'],
    problems: [/^a@1\.service: cannot be read$/],
    doubtful: ['a@1.service'],
  },
  { says: 'may be bundles', files: { 'x.units -> y': `# ---- a.service\n${good}` }, units: ['a.service x.units:2'] },
]);

test('a unit has the bytes of its file, with what they say', () => {
  const text = '\ufeff[Service]\r\n# x\r\nExecStart=/bin/a\r\n[X-Fleet]\r\nGlobal=true';
  const unit = compile({ 'a.service': text }).units.get(parseUnitName('a.service'));
  assert.equal(Buffer.from(unit?.bytes ?? []).toString(), text);
  assert.deepEqual(
    unit?.unitFile.options.map((option) => option.name),
    ['ExecStart', 'Global'],
  );
  assert.deepEqual(unit?.lines, [3, 5]);
  assert.equal(unit?.isGlobal, true);
  assert.equal(unit?.isTemplate, false);
});

test('an instance has the bytes of its template, whichever way it is asked for', () => {
  const content = compile({ 'a@.service': good, 'a@.instances': '1', 'a@2.service -> a@.service': good });
  const found = [...content.units.values()];
  assert.equal(found.length, 3);
  assert.equal(new Set(found.map(({ bytes }) => bytes)).size, 1);
  assert.deepEqual(
    found.map(({ isTemplate }) => isTemplate),
    [true, false, false],
  );
});

test('a line that is a file long is not told in full', () => {
  const long = 'x'.repeat(900_000);
  const { problems } = compile({ 'a.units': `# ---- ${long}.service\n`, 'a@.instances': `${long}\n` });
  assert.ok(problems.length >= 2);
  for (const { message } of problems) assert.ok(message.length <= 500, `${message.length} characters`);
  assert.match(problems[0]?.message ?? '', /^"# ----" begins a unit here.*xx…xx.*not the name of one/);
});

test('units that have not changed keep their bytes, and are not parsed, when a folder is compiled again', () => {
  const entries = toEntries({ 'a.service': good, 'x.units': `# ---- b.service\n${good}` });
  const [one, other] = [compileFolder(entries), compileFolder([...entries, ...toEntries({ 'c.service': good })])];
  for (const [name, { bytes, unitFile }] of one.units) {
    assert.equal(other.units.get(name)?.bytes, bytes);
    assert.equal(other.units.get(name)?.unitFile, unitFile);
  }
});

test('unknown options are taken where they are allowed', () => {
  const entries = toEntries({ 'a.service': `${good}[X-Fleet]\nFuture=1\n` });
  assert.equal(compileFolder(entries).units.size, 0);
  assert.equal(compileFolder(entries, { allowUnknown: true }).units.size, 1);
});
