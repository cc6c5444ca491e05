import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { formatUnitFile, hashUnitFile } from './canonical.js';
import { matchGlob } from './glob.js';
import { parseRequirements } from './requirements.js';
import { parseUnitFile, parseUnitFileWithLines } from './unit-file.js';
import { describeUnit } from './unit-file-facts.js';
import type { Requirements } from './unit-model.js';
import { isUnitName, parseUnitName, unitNameParts } from './unit-name.js';

const directory = new URL('../../../units-examples/', import.meta.url);
const readme = readFileSync(new URL('README.md', directory), 'utf8');
const files = readdirSync(directory).filter((file) => file !== 'README.md');

/** What the example asks, of its first instance if it is a template. */
function requirementsOf(fileName: string): Requirements {
  const parsed = parseUnitFileWithLines(readFileSync(new URL(fileName, directory)), fileName);
  const name = parseUnitName(fileName.replace('@.', '@1.'));
  return parseRequirements({ name, source: fileName, ...parsed });
}

test('there are examples', () => assert.ok(files.length >= 14));

for (const fileName of files) {
  test(`${fileName} is a unit, survives the round trip and asks what can be fulfilled`, () => {
    assert.ok(isUnitName(fileName));
    const bytes = readFileSync(new URL(fileName, directory));
    const file = parseUnitFile(bytes, fileName);
    const again = parseUnitFile(formatUnitFile(file));
    assert.deepEqual(again, file);
    assert.equal(hashUnitFile(again), hashUnitFile(file));
    assert.ok(describeUnit(file), 'it has a description');
    assert.match(bytes.toString(), /^# .*\n(# .*\n)*# {3}fleetctl \w+ /, 'its comment says how to start it');
    const { machineOf } = requirementsOf(fileName);
    for (const peer of machineOf) assert.ok(files.includes(peer), `its peer ${peer} is here too`);
  });

  test(`${fileName} is in the README`, () => assert.ok(readme.includes(`\`${fileName}\``)));
}

test('each kind of requirement has an example', () => {
  const all = files.map(requirementsOf);
  assert.equal(all.filter(({ isGlobal }) => isGlobal).length, 2);
  assert.equal(all.filter(({ machineOf }) => machineOf.length > 0).length, 2);
  assert.deepEqual(requirementsOf('fast-disk.service').metadata, new Map([['disk', ['ssd']]]));
  assert.equal(requirementsOf('many-cores.service').metadataTests.length, 2);
  const { preferMetadata, preferConflicts } = requirementsOf('wishes.service');
  assert.deepEqual([preferMetadata.length, preferConflicts.length], [1, 1]);
  assert.deepEqual(requirementsOf('zones@.service').spreadOver, ['az']);
  assert.equal(requirementsOf('background.service').strategy, 'binpack');
  assert.deepEqual(requirementsOf('only-one.service').partitionStop, { afterMs: 5000 });
  assert.equal(requirementsOf('log-shipper.service').isRolling, true);
  for (const glob of requirementsOf('make-room.service').replaces) assert.ok(files.includes(glob));
});

test('instances of the template keep apart', () => {
  const [glob = ''] = requirementsOf('spread@.service').conflicts;
  assert.ok(matchGlob(glob, 'spread@2.service'));
  assert.ok(unitNameParts(parseUnitName('spread@.service')).isTemplate);
});

const hasAnalyzer = spawnSync('systemd-analyze', ['--version']).status === 0;

test('systemd finds nothing to say against any of them', { skip: !hasAnalyzer && 'no systemd-analyze here' }, () => {
  const paths = files.map((file) => fileURLToPath(new URL(file.replace('@.', '@1.'), directory)));
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', ...paths], { encoding: 'utf8' });
  // It may complain of this machine's own units too.
  const ours = ['/units-examples/', ...paths.map((path) => basename(path))];
  const complaints = stderr.split('\n').filter((line) => ours.some((mark) => line.includes(mark)));
  assert.deepEqual([status, complaints], [0, []]);
});
