import { everywhere, exactly, type Line, on, one, owned, testLines, two } from './testing/lines.js';

const unknown = `${one}[X-Fleet]\nGlobl=true\nOwner=me\n`;
const keeps = (name: string) =>
  `WARNING: Unit ${name} in registry differs from local unit file ${name}. Add --replace to override.\n`;

const creating: readonly Line[] = [
  {
    line: 'submit a.service b',
    files: { 'a.service': one, 'b.service': two },
    stdout: 'Unit a.service inactive\nUnit b.service inactive\n',
    leaves: { 'a.service': 'inactive', 'b.service': 'inactive' },
  },
  { line: 'submit units/a', files: { 'units/a.service': one }, stdout: 'Unit a.service inactive\n' },
  { line: 'submit g', files: { 'g.service': everywhere }, stdout: 'Unit g.service inactive\n' },
  { line: 'submit t@.service', files: { 't@.service': one }, stdout: 'Unit t@.service inactive\n' },
  {
    line: 'submit t@{1..2}',
    files: { 't@.service': one },
    stdout: 'Unit t@1.service inactive\nUnit t@2.service inactive\n',
  },
  { line: 'submit a', units: { 'a.service': [one, 'inactive'] } },
  { line: 'submit a', files: { 'a.service': `# same\n${one}` }, units: { 'a.service': [one, 'inactive'] } },
  {
    line: 'submit a',
    files: { 'a.service': two },
    units: { 'a.service': [one, 'inactive'] },
    stderr: keeps('a.service'),
  },
  {
    line: 'start a',
    files: { 'a.service': two },
    units: { 'a.service': [one, 'launched'] },
    owned: { 'a.service': ['local'] },
    stdout: /^Unit a.service launched/,
    stderr:
      'WARNING: Unit a.service in registry differs from local unit file a.service. It belongs to the directory "local": change its file there.\n',
  },
  {
    line: 'submit t@1',
    files: { 't@.service': two },
    units: { 't@1.service': [one, 'inactive'] },
    stderr:
      'WARNING: Unit t@1.service in registry differs from local template unit file t@.service. Add --replace to override.\n',
  },
  {
    line: 'submit --replace a',
    files: { 'a.service': one },
    units: { 'a.service': [one, 'inactive'] },
    stdout: 'Found same Unit(a.service) in Registry, nothing to do\n',
  },
  {
    line: 'submit --replace a',
    files: { 'a.service': two },
    units: { 'a.service': [one, 'inactive'] },
    stdout: 'Unit a.service inactive\n',
  },
  {
    line: 'submit --replace a b',
    files: { 'a.service': two, 'b.service': two },
    units: { 'a.service': [one, 'launched'] },
    stdout: 'Unit b.service inactive\n',
    stderr:
      "Warning: can not replace Unit(a.service) in state 'launched', use the appropriate command\n" +
      'It stays launched with its old content; fleetctl start --replace a.service replaces it.\n' +
      'Not replaced: a.service\n',
    leaves: { 'a.service': 'launched' },
  },
  {
    line: 'submit --replace a',
    units: { 'a.service': [one, 'inactive'] },
    stderr:
      /^Error creating units: there is nothing to replace Unit\(a\.service\) with: \/\S+\/a\.service does not exist\n$/,
    exit: 1,
  },
  {
    line: 'start --no-block --replace t@1',
    files: { 't@.service': two },
    units: { 't@.service': [one, 'inactive'], 't@1.service': [one, 'launched'] },
    stdout: 'Triggered unit t@1.service start\n',
  },
  {
    line: 'submit none a',
    files: { 'a.service': one },
    stdout: 'Unit a.service inactive\n',
    stderr:
      /^Error creating units: unable to find Unit\(none\.service\) in Registry or on filesystem \(\/\S+\/none\.service\)\n$/,
    exit: 1,
  },
  {
    line: 'submit bad a',
    files: { 'bad.service': '[Service\n', 'a.service': one },
    stdout: 'Unit a.service inactive\n',
    stderr: /^Error creating units: bad\.service:1: .*\n$/,
    exit: 1,
  },
  {
    line: 'submit a',
    files: { 'a.service': '' },
    stderr: 'Error creating units: a.service: the file has no options\n',
    exit: 1,
  },
  {
    line: 'submit a',
    files: { 'a.service': one },
    refusals: { 'a.service': [409, 'no'] },
    stderr: 'Error creating units: a.service: no\n',
    exit: 1,
  },
  {
    line: 'start a',
    units: { 'a.service': [one, 'loaded'] },
    refusals: { 'a.service': [409, 'no'] },
    stderr: 'Error starting units: a.service: no\n',
    exit: 1,
  },
  {
    line: 'start --replace a',
    files: { 'a.service': two },
    units: { 'a.service': [one, 'launched'] },
    refusals: { 'a.service': [409, owned] },
    stderr: `Error creating units: ${owned}\n`,
    exit: 1,
    leaves: { 'a.service': 'launched' },
  },
  {
    line: 'submit --sign a',
    files: { 'a.service': one },
    stdout: 'Unit a.service inactive\n',
    stderr: 'WARNING: The signed/verified units feature is DEPRECATED and cannot be used.\n',
  },
  {
    line: 'submit a',
    files: { 'a.service': unknown },
    stderr: 'Error creating units: a.service:4: [X-Fleet] Globl= is not a known option; did you mean Global=?\n',
    exit: 1,
    leaves: { 'a.service': undefined },
  },
  {
    line: 'submit --allow-unknown a',
    files: { 'a.service': unknown },
    stdout: 'Unit a.service inactive\n',
    stderr:
      'Warning: a.service:4: [X-Fleet] Globl= is ignored; did you mean Global=?\n' +
      'Warning: a.service:5: [X-Fleet] Owner= is ignored: it is not known\n',
  },
  {
    line: 'start --no-block t@1',
    units: { 't@.service': [unknown, 'inactive'] },
    stdout: 'Triggered unit t@1.service start\n',
    stderr: /^(Warning: .* is ignored.*\n){2}$/,
  },
  {
    line: 'load a',
    files: { 'a.service': one },
    stdout: exactly(`Unit a.service loaded${on}`),
    leaves: { 'a.service': 'loaded' },
  },
  { line: 'load --no-block a', files: { 'a.service': one }, stdout: 'Triggered unit a.service load\n' },
  { line: 'load g', files: { 'g.service': everywhere }, stdout: 'Triggered global unit g.service load\n' },
  {
    line: 'load a',
    units: { 'a.service': [one, 'launched'] },
    stderr: 'Unit a.service is launched already and stays so; fleetctl stop a.service stops it\n',
    leaves: { 'a.service': 'launched' },
  },
  {
    line: 'load --replace a',
    files: { 'a.service': two },
    units: { 'a.service': [one, 'launched'] },
    stderr: /^Warning: can not replace Unit\(a\.service\) in state 'launched', use the appropriate command\n.*\n$/,
    leaves: { 'a.service': 'launched' },
  },
  {
    line: 'start a',
    files: { 'a.service': one },
    stdout: exactly(`Unit a.service launched${on}`),
    leaves: { 'a.service': 'launched' },
  },
  { line: 'start --no-block a', files: { 'a.service': one }, stdout: 'Triggered unit a.service start\n' },
  {
    line: 'start --no-block=true a',
    units: { 'a.service': [one, 'loaded'] },
    stdout: 'Triggered unit a.service start\n',
  },
  { line: 'start g', files: { 'g.service': everywhere }, stdout: 'Triggered global unit g.service start\n' },
  {
    line: 'start --replace a',
    files: { 'a.service': two },
    units: { 'a.service': [one, 'launched'] },
    stdout: exactly(`Unit a.service launched${on}`),
  },
  {
    line: 'start --wait 0.1 a',
    files: { 'a.service': one },
    homeless: ['a.service'],
    stderr: 'Unit a.service is not launched after 0.1 s: no room\n',
    exit: 2,
  },
  {
    line: 'start t@.service',
    files: { 't@.service': one },
    stderr: 'Error: cannot start template t@.service; start an instance of it, like t@1.service\n',
    exit: 1,
  },
  {
    line: 'start t@*',
    units: { 't@.service': [one, 'inactive'], 't@1.service': [one, 'inactive'], 't@2.service': [one, 'inactive'] },
    stdout: exactly(`Unit t@1.service launched${on}`, `Unit t@2.service launched${on}`),
  },
  { line: 'start x*', stderr: 'no unit in the registry matches x*.service\n', exit: 1 },
];

testLines(creating);
