import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ignoredOptions } from './requirement-items.js';
import { parseRequirements } from './requirements.js';
import { parseUnitFileWithLines } from './unit-file.js';
import { noRequirements, type Requirements } from './unit-model.js';
import { parseUnitName } from './unit-name.js';

interface Options {
  readonly name?: string;
  readonly allowUnknown?: boolean;
}

function requirements(section: string, { name = 'foo@1.service', allowUnknown }: Options = {}): Requirements {
  const { file, lines } = parseUnitFileWithLines(`[X-Fleet]\n${section}`);
  return parseRequirements({ name: parseUnitName(name), file, lines, source: 'u', allowUnknown });
}

function refusedWith(section: string, message: string | RegExp, options: Options = {}): void {
  assert.throws(() => requirements(section, options), { name: 'UnitError', code: 'invalid-requirements', message });
}

const nothing = noRequirements;

test('a unit without [X-Fleet] asks nothing; sections are told apart by exact name', () => {
  assert.deepEqual(requirements(''), nothing);
  assert.deepEqual(requirements('[X-fleet]\nGlobal=true\n[Unit]\nMachineID=x\nConflicts=y'), nothing);
});

test('canonical and deprecated spellings mean the same', () => {
  assert.equal(requirements('MachineID=abc').machineId, 'abc');
  assert.equal(requirements('X-ConditionMachineID=abc').machineId, 'abc');
  assert.equal(requirements('X-ConditionMachineBootID=abc').machineId, 'abc');
  const all = 'X-ConditionMachineBootID=boot\nX-ConditionMachineID=old\nMachineID=new\nMachineID=late';
  assert.equal(requirements(all).machineId, 'new');
  assert.equal(requirements('X-ConditionMachineBootID=boot\nX-ConditionMachineID=old').machineId, 'old');
  assert.deepEqual(requirements('MachineOf=a.service\nX-ConditionMachineOf=b.service').machineOf, [
    'b.service',
    'a.service',
  ]);
  assert.deepEqual(requirements('Conflicts=a\nX-Conflicts=b').conflicts, ['b', 'a']);
  assert.deepEqual(requirements('X-ConditionMachineMetadata=a=b').metadata, new Map([['a', ['b']]]));
});

test('metadata is a list of values per key', () => {
  const { metadata } = requirements('MachineMetadata="a=1" "b=2"\nMachineMetadata=a=3\nMachineMetadata=a=1');
  assert.deepEqual(metadata, new Map([['a', ['1', '3']], ['b', ['2']]])); // biome-ignore format: one row per key
  assert.deepEqual(requirements('MachineMetadata=where=row 1').metadata, new Map([['where', ['row 1']]]));
});

test('quoted values are separated by any white space, continued lines included', () => {
  const expected = ['a.service', 'b.service'];
  for (const value of ['"a.service" "b.service"', '"a.service"  \t "b.service"', '"a.service" \\\n  "b.service"'])
    assert.deepEqual(requirements(`MachineOf=${value}`).machineOf, expected, value);
  assert.deepEqual(requirements('Replaces="a"b"c" d "e"').replaces, ['abc', 'd', 'e']);
  assert.deepEqual(requirements('Replaces="" ""').replaces, []);
  assert.deepEqual(requirements('Conflicts=a  b\nConflicts="c d" "e"\nConflicts=').conflicts, [
    'a',
    'b',
    'c',
    'd',
    'e',
  ]);
});

test('the last Global= decides', () => {
  for (const word of ['true', 'True', 'yes', '1', 'on', 't', '"true"'])
    assert.equal(requirements(`Global=${word}`).isGlobal, true, word);
  for (const word of ['false', 'NO', '0', 'off', 'f', '']) assert.equal(requirements(`Global=${word}`).isGlobal, false);
  assert.equal(requirements('Global=true\nGlobal=false').isGlobal, false);
  assert.equal(requirements('Global=false\nGlobal=true').isGlobal, true);
});

test('specifiers are replaced in every value', () => {
  const { machineOf, conflicts, metadata } = requirements(
    'MachineOf=%p-data@%i.service\nConflicts=%n %N %%i %h\nMachineMetadata=slot=%i',
    { name: 'web.a@b@2.service' },
  );
  assert.deepEqual(machineOf, ['web.a-data@b@2.service']);
  assert.deepEqual(conflicts, ['web.a@b@2.service', 'web.a@b@2', '%b@2', '%h']);
  assert.deepEqual(metadata, new Map([['slot', ['b@2']]]));
  refusedWith('Conflicts=%p[%i]', /malformed glob: "foo\[\]"/, { name: 'foo.service' });
});

test('unknown options are refused with the nearest name', () => {
  refusedWith('MachineId=a', 'u:2: [X-Fleet] MachineId= is not a known option; did you mean MachineID=?');
  refusedWith('\nConflict=a', 'u:3: [X-Fleet] Conflict= is not a known option; did you mean Conflicts=?');
  refusedWith('machinemetadata=a=b', /did you mean MachineMetadata=\?/);
  refusedWith('PreferMachineMeta=1:a', /did you mean PreferMachineMetadata=\?/);
  refusedWith('SpreadOver_=az', /did you mean SpreadOver=\?/);
  refusedWith('Strategie=spread', /did you mean Strategy=\?/);
  refusedWith(
    'Frobnicate=a',
    /known are Conflicts, Global, MachineID, MachineMetadata, .*, Replaces, SpreadOver, Strategy, Update$/,
  );
  assert.deepEqual(requirements('X-Owner=me\nX-ConditionConflicts=a'), nothing);
  assert.deepEqual(requirements('MachineId=a\nGlobal=true', { allowUnknown: true }).isGlobal, true);
});

test('options of the user may look like ours', () => {
  const { file, lines } = parseUnitFileWithLines(
    '[X-Fleet]\nX-Owner=me\nX-Replaces=a\nX-ConditionMachineId=b\nX-Conflicts=c\nX-ConditionConflicts=d\n[Unit]\nX-Global=e\n' +
      '[X-Note]\nText=f\n[XFleet]\nGlobal=true\nGlobal=false',
  );
  assert.deepEqual(ignoredOptions({ file, lines }), [
    { section: 'X-Fleet', option: 'X-Replaces', line: 3, meant: 'Replaces' },
    { section: 'X-Fleet', option: 'X-ConditionMachineId', line: 4, meant: 'MachineID' },
    { section: 'X-Fleet', option: 'X-ConditionConflicts', line: 6, meant: 'Conflicts' },
    { section: 'XFleet', option: undefined, line: 12, meant: 'X-Fleet' },
  ]);
});

test('what is not known is told of where it is allowed', () => {
  const { file, lines } = parseUnitFileWithLines('[X-Fleet]\nGlobl=true\nOwner=me\nX-Owner=me\nGlobal=true\n');
  assert.deepEqual(ignoredOptions({ file, lines, allowUnknown: true }), [
    { section: 'X-Fleet', option: 'Globl', line: 2, meant: 'Global' },
    { section: 'X-Fleet', option: 'Owner', line: 3, meant: undefined },
  ]);
  assert.deepEqual(ignoredOptions({ file, lines }), []);
});

test('what cannot be read is refused', () => {
  refusedWith('MachineID=', 'u:2: [X-Fleet] MachineID= needs a machine ID');
  refusedWith('MachineID=abc\nX-ConditionMachineID=', 'u:3: [X-Fleet] X-ConditionMachineID= needs a machine ID');
  refusedWith('MachineOf=foo', 'u:2: [X-Fleet] MachineOf= names no unit: "foo"');
  refusedWith('MachineOf=', /names no unit: ""/);
  refusedWith('MachineOf=a.service b.service', /names no unit: "a.service b.service"; write one unit per line/);
  refusedWith('MachineOf=a@.service', /names a template, which no machine runs: "a@.service"/);
  refusedWith('MachineOf=a@%i.service', /names a template/, { name: 'foo.service' });
  refusedWith('MachineOf=%n', 'u:2: [X-Fleet] MachineOf= names the unit itself, which is nowhere before it is placed');
  refusedWith('Conflicts=a b[', 'u:2: [X-Fleet] Conflicts= has a malformed glob: "b["');
  refusedWith('Replaces=[]', /Replaces= has a malformed glob/);
  refusedWith(
    'Replaces=a b',
    'u:2: [X-Fleet] Replaces= matches no unit: "a b"; write one glob per line, or each in double quotes',
  );
  refusedWith('Global=true # everywhere', /Global= is neither true nor false: "true # everywhere"/);
  for (const value of ['"', '"a.service" "', '"foo\\"bar"'])
    refusedWith(`MachineOf=${value}`, /quotes that do not close/);
});

const nothingToChoose = 'a global unit runs on every machine that fits, so there is nothing to choose';
const pairs: readonly (readonly [string, string, string])[] = [
  ['MachineID=m', 'MachineOf=a.service', 'MachineID cannot be used with Peers'],
  ['MachineID=m', 'Conflicts=a', 'MachineID cannot be used with Conflicts'],
  ['MachineID=m', 'Global=true', 'MachineID cannot be used with Global'],
  ['MachineID=m', 'Replaces=a', 'MachineID cannot be used with Replaces'],
  ['Global=true', 'MachineOf=a.service', 'Global cannot be used with Peers'],
  ['Global=true', 'Replaces=a', 'Global cannot be used with Replaces'],
  ['Conflicts=a', 'Replaces=b', 'Conflicts cannot be used with Replaces'],
  ['Global=true', 'Strategy=spread', nothingToChoose],
  ['Global=true', 'SpreadOver=az', nothingToChoose],
  ['Global=true', 'PreferMachineMetadata=1:a', nothingToChoose],
  ['Global=true', 'PreferConflicts=1:a', nothingToChoose],
];
for (const [one, other, words] of pairs) {
  test(`refused in either order: ${one} and ${other}`, () => {
    const [first = '', second = ''] = [one, other].map((line) => line.split('=')[0]);
    refusedWith(`${one}\n${other}`, `u:3: [X-Fleet] ${second}= may not be combined with ${first}=: ${words}`);
    refusedWith(`${other}\n${one}`, `u:3: [X-Fleet] ${first}= may not be combined with ${second}=: ${words}`);
  });
}

test('the first of several forbidden pairs is reported', () => {
  refusedWith('Replaces=x\nConflicts=a\nGlobal=true\nMachineID=m', /MachineID cannot be used with Conflicts$/);
  refusedWith('X-ConditionMachineID=m\nX-Conflicts=a', /X-Conflicts= may not be .* MachineID cannot be used with Conf/);
});

test('other combinations are allowed', () => {
  const metadata = 'MachineMetadata=a=b';
  for (const rest of ['Global=true', 'Global=true\nConflicts=a', 'MachineID=m', 'MachineOf=a.service', 'Replaces=a'])
    requirements(`${metadata}\n${rest}`);
  requirements('MachineOf=a.service\nConflicts=b*');
  requirements('MachineOf=a.service\nReplaces=b*');
  requirements('MachineID=m\nGlobal=false');
});

test('a peer may not be in the way of its own unit', () => {
  const peer = 'has unresolvable requirements: peer "a@1.service" matches';
  refusedWith('MachineOf=a@%i.service\nConflicts=b\nConflicts=a@*', `u:2: [X-Fleet] MachineOf= ${peer} conflict "a@*"`);
  refusedWith('MachineOf=a@1.service\nReplaces=a@%i.service', new RegExp(`${peer} replace "a@1.service"$`));
  requirements('MachineOf=a@2.service\nConflicts=a@%i.service');
});

test('a template may name its instance where the instance has to be checked', () => {
  const name = 'foo@.service';
  requirements('MachineOf=a@%i.service\nConflicts=[%i] %N', { name });
  requirements('MachineMetadata=slot=%i\nMachineMetadata=%i', { name });
  requirements('MachineMetadata=slot=%i\nMachineMetadata=!slot\nMachineMetadata=cores>%i', { name });
  requirements('PreferMachineMetadata=%i:a\nPreferMachineMetadata=1:%i\nPreferConflicts=%i', { name });
  requirements('SpreadOver=%i\nStrategy=%i\nMachineOf=%n', { name });
  requirements('MachineID=%i', { name });
  refusedWith('MachineOf=%p', /names no unit: "foo"/, { name });
  refusedWith('Conflicts=b[', /malformed glob/, { name });
});

test('without a source and lines an error names the unit', () => {
  const { file } = parseUnitFileWithLines('[X-Fleet]\nMachineID=');
  assert.throws(() => parseRequirements({ name: parseUnitName('foo.service'), file }), {
    message: 'foo.service: [X-Fleet] MachineID= needs a machine ID',
  });
});
