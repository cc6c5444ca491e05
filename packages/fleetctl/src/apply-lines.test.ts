import { everywhere, exactly, type Line, on, one, testLines, two } from './testing/lines.js';

const diffing: readonly Line[] = [
  {
    line: 'diff units',
    files: { 'units/a.service': one, 'units/README.md': 'x' },
    stdout: 'create a.service (units/a.service)\n1 to create\n',
    exit: 2,
    leaves: { 'a.service': undefined },
  },
  {
    line: 'diff units/',
    files: { 'units/a.service': one },
    units: { 'a.service': [one, 'loaded'] },
    stdout: '1 unchanged\n',
  },
  {
    line: 'diff units',
    files: { 'units/a.service': two, 'units/b.service': one, 'units/c.service': one },
    units: { 'a.service': [one, 'launched'], 'b.service': [one, 'launched'] },
    stdout:
      'change a.service (units/a.service)\n' +
      '--- a/a.service\t(cluster)\n+++ b/units/a.service\n@@ -1,2 +1,3 @@\n' +
      '+# another\n [Service]\n-ExecStart=/bin/one\n+ExecStart=/bin/two\n' +
      'create c.service (units/c.service)\n1 to create, 1 to change, 1 unchanged\n',
    exit: 2,
  },
  {
    line: 'diff a.service b.service',
    files: { 'a.service': `# why\n${one}`, 'b.service': two },
    units: { 'a.service': [one, 'launched'], 'b.service': [one, 'inactive'] },
    stdout: new RegExp(
      '^change a\\.service \\(a\\.service\\): only comments, nothing restarts\n[^]*' +
        'change b\\.service \\(b\\.service\\): it is inactive, and will be started\n[^]*' +
        '\n2 to change \\(1 only comments\\)\n$',
    ),
    exit: 2,
  },
  {
    line: 'diff -o name units',
    files: { 'units/a.service': one, 'units/b.service': two, 'units/c.service': one },
    units: { 'b.service': [one, 'launched'], 'c.service': [one, 'launched'] },
    stdout: 'a.service\nb.service\n',
    exit: 2,
  },
  { line: 'diff -o name a.service', files: { 'a.service': one }, units: { 'a.service': [one, 'launched'] } },
  {
    line: 'diff units',
    files: {
      'units/web@.service': one,
      'units/web@.instances': '1\n2\n',
      'units/all.units': `# all\n# ---- db.service\n${one}# ---- db.timer\n[Timer]\nOnCalendar=daily\n`,
    },
    stdout: exactly(
      String.raw`create web@\.service \(units/web@\.service\)`,
      String.raw`create db\.service \(units/all\.units:3\)`,
      String.raw`create db\.timer \(units/all\.units:6\)`,
      String.raw`create web@1\.service \(units/web@\.instances\)`,
      String.raw`create web@2\.service \(units/web@\.instances:2\)`,
      '5 to create',
    ),
    exit: 2,
  },
  {
    line: 'diff t@.service t@.instances',
    files: { 't@.service': two, 't@.instances': '1\n2\n' },
    units: { 't@.service': [one, 'inactive'], 't@1.service': [one, 'launched'], 't@2.service': [one, 'loaded'] },
    stdout:
      'change t@.service (t@.service)\n' +
      '--- a/t@.service\t(cluster)\n+++ b/t@.service\n@@ -1,2 +1,3 @@\n' +
      '+# another\n [Service]\n-ExecStart=/bin/one\n+ExecStart=/bin/two\n' +
      'change t@1.service (t@.instances) as t@.service\n' +
      'change t@2.service (t@.instances:2) as t@.service: it is loaded, and will be started\n' +
      '3 to change\n',
    exit: 2,
  },
  {
    line: 'diff units nowhere',
    files: {
      'units/a.service': '[Service\n',
      'units/b.service': `${one}[X-Fleet]\nGlobl=true\n`,
      'units/c.service': one,
    },
    stderr:
      /^Error: nowhere: there is no such file or directory\nError: units\/a\.service:1: .*\nError: units\/b\.service:4: .*Globl=.*\nfleetctl apply would do nothing\.\n$/,
    exit: 1,
  },
  {
    line: 'diff --allow-unknown b.service',
    files: { 'b.service': `${one}[X-Fleet]\nGlobl=true\n` },
    stdout: 'create b.service (b.service)\n1 to create\n',
    stderr: 'Warning: b.service:4: [X-Fleet] Globl= is ignored; did you mean Global=?\n',
    exit: 2,
  },
  {
    line: 'diff units',
    files: { 'units/all.units': `# ---- a.service\n${one}[X-Flet]\nGlobal=true\n` },
    stdout: 'create a.service (units/all.units:2)\n1 to create\n',
    stderr: 'Warning: units/all.units:5: [X-Flet] is ignored; did you mean [X-Fleet]?\n',
    exit: 2,
  },
  {
    line: 'diff units',
    files: { 'units/README': 'x' },
    stderr: 'Error: there is no unit file in units\nfleetctl apply would do nothing.\n',
    exit: 1,
  },
  {
    line: 'diff',
    stderr:
      "Error: No paths given\nName directories of unit files, or single files.\nRun 'fleetctl diff --help' for its usage.\n",
    exit: 64,
  },
  { line: 'apply units ', stderr: /^Error: A path is empty\nWas a variable not set\?\n/, exit: 64 },
  {
    line: 'diff --prune units',
    stderr: /^Error: --prune needs --owner NAME\n/,
    exit: 64,
  },
  { line: 'diff --prune-most units', stderr: /^Error: --prune needs --owner NAME\n/, exit: 64 },
  { line: 'diff --owner=a/b units', stderr: /^Error: not a name for an owner: "a\/b"\nUp to 63 of/, exit: 64 },
];

const applying: readonly Line[] = [
  {
    line: 'apply units',
    files: { 'units/a.service': one, 'units/b.service': one, 'units/c.service': two },
    units: { 'b.service': [one, 'loaded'], 'c.service': [one, 'loaded'] },
    stdout: exactly(
      `Unit a\\.service launched${on}`,
      `Unit c\\.service launched${on}`,
      '1 created, 1 changed, 1 unchanged',
    ),
    leaves: { 'a.service': 'launched', 'b.service': 'loaded', 'c.service': 'launched' },
  },
  {
    line: 'apply units',
    files: { 'units/a.service': one },
    units: { 'a.service': [one, 'inactive'] },
    stdout: '1 unchanged\n',
    leaves: { 'a.service': 'inactive' },
  },
  {
    line: 'apply t@.service t@.instances g.service',
    files: { 't@.service': one, 't@.instances': '1\n', 'g.service': everywhere },
    stdout: exactly(
      String.raw`Template t@\.service created`,
      String.raw`Triggered global unit g\.service apply`,
      `Unit t@1\\.service launched${on}`,
      '3 created',
    ),
    leaves: { 't@.service': 'inactive', 't@1.service': 'launched', 'g.service': 'launched' },
  },
  {
    line: 'apply a.service',
    files: { 'a.service': `# why\n${one}` },
    units: { 'a.service': [one, 'launched'] },
    stdout: exactly(`Unit a\\.service launched${on}`, String.raw`1 changed \(only comments\)`),
  },
  {
    line: 'apply --no-block t@.service',
    files: { 't@.service': `# why\n${one}` },
    units: { 't@.service': [one, 'inactive'] },
    stdout: 'Template t@.service changed\n1 changed (only comments)\n',
  },
  {
    line: 'apply --no-block units',
    files: { 'units/a.service': one, 'units/b.service': one },
    stdout: 'Triggered unit a.service apply\nTriggered unit b.service apply\n2 created\n',
    leaves: { 'a.service': 'launched' },
  },
  {
    line: 'apply --dry-run units',
    files: { 'units/a.service': one },
    stdout: 'create a.service (units/a.service)\n1 to create\n',
    exit: 2,
    leaves: { 'a.service': undefined },
  },
  {
    line: 'apply --dry-run units',
    files: { 'units/a.service': one },
    units: { 'a.service': [one, 'launched'] },
    stdout: '1 unchanged\n',
  },
  {
    line: 'apply -o name units',
    files: { 'units/a.service': one, 'units/b.service': one },
    units: { 'b.service': [one, 'launched'] },
    stdout: 'a.service\n',
  },
  {
    line: 'apply units',
    files: { 'units/a.service': one, 'units/b.service': '[Service]\nnonsense\n' },
    stderr: /^Error: units\/b\.service:2: .*\nNothing was applied\.\n$/,
    exit: 1,
    leaves: { 'a.service': undefined },
  },
  {
    line: 'apply units',
    files: { 'units/a.service': one, 'units/b.service': one },
    refusals: { 'a.service': [409, 'unit is owned by the directory "local"'] },
    stdout: exactly(`Unit b\\.service launched${on}`, '1 created; 1 refused'),
    stderr: 'Error applying units: a.service: unit is owned by the directory "local"\n',
    exit: 1,
    leaves: { 'b.service': 'launched' },
  },
  {
    line: 'apply --wait=0 units',
    files: { 'units/a.service': one, 'units/b.service': one },
    homeless: ['a.service', 'b.service'],
    stdout: '2 created; 2 not there yet\n',
    stderr: /^(Unit [ab]\.service is not launched after 0 s: .*\n){2}$/,
    exit: 2,
  },
  { line: 'apply', stderr: /^Error: No paths given\n/, exit: 64 },
  { line: 'apply -o yaml units', stderr: /^Error: .*Allowed choices are json, name/, exit: 64 },
];

const mine = ['shop', 'apply'] as const;
const four = { 'a.service': mine, 'b.service': mine, 'c.service': mine, 'd.service': mine };
const fourRunning = Object.fromEntries(Object.keys(four).map((name) => [name, [one, 'launched'] as const]));

const owning: readonly Line[] = [
  {
    line: 'apply --owner shop units',
    files: { 'units/a.service': one, 'units/t@.service': one },
    stdout: exactly(String.raw`Template t@\.service created`, `Unit a\\.service launched${on}`, '2 created'),
    leaves: { 'a.service': 'launched', 't@.service': 'inactive' },
  },
  {
    line: 'apply --owner shop units',
    files: { 'units/a.service': one, 'units/b.service': two },
    units: { 'a.service': [one, 'loaded'], 'b.service': [one, 'loaded'] },
    owned: { 'a.service': mine, 'b.service': mine },
    stdout: exactly(`Unit b\\.service launched${on}`, '1 changed, 1 unchanged'),
    leaves: { 'a.service': 'loaded', 'b.service': 'launched' },
  },
  {
    line: 'apply units',
    files: { 'units/a.service': two, 'units/b.service': one },
    units: { 'a.service': [one, 'launched'] },
    owned: { 'a.service': ['local', 'b1d7'] },
    stderr:
      'Error: a.service belongs to the directory "local"\n' +
      'If you are who applies for local: --owner local\n' +
      'To take it over: fleetctl adopt a.service\n' +
      'Nothing was applied.\n',
    exit: 1,
    leaves: { 'b.service': undefined },
  },
  {
    line: 'apply units',
    files: { 'units/a.service': one },
    units: { 'a.service': [one, 'launched'] },
    owned: { 'a.service': ['local', 'b1d7'] },
    stdout: '1 unchanged\n',
  },
  {
    line: 'apply --owner shop units',
    files: { 'units/a.service': one, 'units/b.service': one, 'units/c.service': one, 'units/a\\x2db.service': one },
    units: { 'a.service': [one, 'launched'], 'b.service': [one, 'launched'], 'a\\x2db.service': [one, 'launched'] },
    owned: { 'a.service': ['local', 'b1d7'] },
    stderr:
      'Error: a.service belongs to the directory "local", and not to "shop"\n' +
      'Error: a\\x2db.service belongs to no directory, and not to "shop"\n' +
      'Error: b.service belongs to no directory, and not to "shop"\n' +
      "To take them over: fleetctl adopt --owner shop a.service 'a\\x2db.service' b.service\n" +
      'Nothing was applied.\n',
    exit: 1,
    leaves: { 'c.service': undefined },
  },
  {
    line: 'diff --owner shop units',
    files: { 'units/a.service': two, 'units/b.service': one },
    units: { 'a.service': [one, 'launched'] },
    stdout: 'create b.service (units/b.service)\n1 to create, 1 of others\n',
    stderr:
      /^Error: a\.service belongs to no directory, and not to "shop"\nTo take it over: .*\nfleetctl apply would do nothing\.\n$/,
    exit: 1,
  },
  {
    line: 'apply --owner shop --prune units',
    files: { 'units/a.service': one, 'units/b.service': one },
    units: fourRunning,
    owned: four,
    stdout: exactly(String.raw`Destroyed c\.service`, String.raw`Destroyed d\.service`, '2 unchanged, 2 destroyed'),
    leaves: { 'a.service': 'launched', 'c.service': undefined },
  },
  {
    line: 'diff --owner shop --prune units',
    files: { 'units/a.service': one, 'units/b.service': one },
    units: fourRunning,
    owned: { ...four, 'd.service': ['shop', 'apply', '12345678abc'] },
    stdout:
      'destroy c.service\nkeep d.service: it is in the directory of that name on 12345678...\n' +
      '2 unchanged, 1 to destroy, 1 to keep\n',
    exit: 2,
  },
  {
    line: 'apply --owner shop --prune units',
    files: { 'units/a.service': one },
    units: { 'a.service': [one, 'launched'], 'd.service': [one, 'launched'] },
    owned: { 'a.service': mine, 'd.service': ['shop', 'apply', '12345678abc'] },
    stdout: 'Kept d.service: it is in the directory of that name on 12345678...\n1 unchanged, 1 kept\n',
    leaves: { 'd.service': 'launched' },
  },
  {
    line: 'apply --owner shop --prune units',
    files: { 'units/a.service': one },
    units: fourRunning,
    owned: four,
    stderr:
      'Error: --prune would destroy 3 of the 4 units that were applied for "shop"\n' +
      '--prune-most does it all the same. Was a folder left out?\nNothing was applied.\n',
    exit: 1,
    leaves: { 'b.service': 'launched' },
  },
  {
    line: 'diff --owner shop --prune units',
    files: { 'units/a.service': one },
    units: fourRunning,
    owned: four,
    stdout: 'destroy b.service\ndestroy c.service\ndestroy d.service\n1 unchanged, 3 to destroy\n',
    stderr: /^Error: --prune would destroy 3 of the 4 units .*\n.*\nfleetctl apply would do nothing\.\n$/,
    exit: 1,
  },
  {
    line: 'apply --owner shop --prune-most units',
    files: { 'units/a.service': one },
    units: fourRunning,
    owned: four,
    stdout: exactly('Destroyed b.service', 'Destroyed c.service', 'Destroyed d.service', '1 unchanged, 3 destroyed'),
    leaves: { 'b.service': undefined },
  },
  {
    line: 'apply --owner shop --prune units',
    files: { 'units/README': '' },
    units: { 'a.service': [one, 'launched'] },
    owned: { 'a.service': mine },
    stderr: 'Error: there is no unit file in units\n--prune-most destroys all that shop has.\nNothing was applied.\n',
    exit: 1,
    leaves: { 'a.service': 'launched' },
  },
  {
    line: 'apply --owner shop --prune-most units',
    files: { 'units/README': '' },
    units: fourRunning,
    owned: four,
    stdout: /\n4 destroyed\n$/,
    leaves: { 'a.service': undefined },
  },
  {
    line: 'apply --owner shop --prune units nowhere',
    files: { 'units/a.service': one },
    units: { 'a.service': [one, 'launched'], 'b.service': [one, 'launched'] },
    owned: { 'a.service': mine, 'b.service': mine },
    stderr: 'Error: nowhere: there is no such file or directory\nNothing was applied.\n',
    exit: 1,
    leaves: { 'b.service': 'launched' },
  },
  {
    line: 'apply --owner shop --prune units',
    files: { 'units/a.service': one, 'units/c.service': one },
    units: { 'b.service': [one, 'launched'] },
    owned: { 'b.service': mine },
    refusals: { 'a.service': [409, 'unit is owned by the directory "local"'] },
    stdout: exactly(`Unit c\\.service launched${on}`, '1 created; 2 refused'),
    stderr:
      'Error applying units: a.service: unit is owned by the directory "local"\n' +
      'Unit b.service is left alone: not everything else was taken\n',
    exit: 1,
    leaves: { 'b.service': 'launched', 'c.service': 'launched' },
  },
  {
    line: 'apply --owner shop --prune --no-block units',
    files: { 'units/a.service': one },
    units: { 'a.service': [one, 'launched'], 'b.service': [one, 'launched'] },
    owned: { 'a.service': mine, 'b.service': mine },
    stdout: 'Destroyed b.service\n1 unchanged, 1 destroyed\n',
  },
];

testLines([...diffing, ...applying, ...owning]);
