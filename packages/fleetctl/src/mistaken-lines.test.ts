import { type Line, one, testLines } from './testing/lines.js';

const usage = (command: string) => `Run 'fleetctl ${command} --help' for its usage.\n`;
const noUnits = (verb: string): Line => ({ line: verb, stderr: `Error: No units given\n${usage(verb)}`, exit: 64 });

const mistaken: readonly Line[] = [
  ...['submit', 'load', 'start', 'stop', 'unload', 'destroy'].map(noUnits),
  { line: 'cat', stderr: `Error: One unit file must be provided\n${usage('cat')}`, exit: 64 },
  { line: 'cat a b', stderr: `Error: One unit file must be provided\n${usage('cat')}`, exit: 64 },
  {
    line: 'submit a a%b',
    files: { 'a.service': one },
    stderr: `Error: "a%b" is not a unit: invalid character '%' in unit name\n${usage('submit')}`,
    exit: 64,
    leaves: { 'a.service': undefined },
  },
  { line: 'start -- --replace', stderr: /unable to find Unit\(--replace\.service\)/, exit: 1 },
  { line: 'start -z a', stderr: `Error: unknown option '-z'\n${usage('start')}`, exit: 64 },
  {
    line: 'start --replcae a',
    stderr: `Error: unknown option '--replcae'\n(Did you mean --replace?)\n${usage('start')}`,
    exit: 64,
  },
  {
    line: 'start --replace=maybe a',
    stderr: `Error: --replace=maybe is neither true nor false\n${usage('start')}`,
    exit: 64,
  },
  { line: 'start --block-attempts=many a', stderr: /--block-attempts.*no whole number/, exit: 64 },
  { line: 'start --wait=1 --block-attempts=1 a', stderr: /say the same thing/, exit: 64 },
  {
    line: 'list-units --watch=soon',
    stderr: `Error: option '-w, --watch=<interval>' argument 'soon' is invalid. It is no duration like 2s or 500ms.\n${usage('list-units')}`,
    exit: 64,
  },
  { line: 'list-unit-files --owner a=b', stderr: /^Error: not a name for an owner: "a=b"\n/, exit: 64 },
  { line: '-- nosuch', stderr: /^Error: unknown command 'nosuch'\n/, exit: 64 },
  { line: '-- list-units', stdout: /^UNIT/ },
  { line: 'list-units -fields=unit,active -no-legend', stdout: '' },
  { line: 'list-units -o=json', stdout: '[]\n' },
  {
    line: 'list-u',
    stderr:
      /^Error: unknown command 'list-u'\n\(Did you mean one of list-units, list-unit-files\?\)\nRun 'fleetctl --help'/,
    exit: 64,
  },
  { line: 'help strat', stderr: /^Error: unknown command 'strat'\n\(Did you mean start\?\)\n/, exit: 64 },
  {
    line: 'journal a',
    stderr: /^Error: unknown command 'journal'\nThis version has none: .*journalctl -u UNIT/,
    exit: 64,
  },
  {
    line: 'machine unfreze',
    stderr: `Error: unknown command 'unfreze' of 'machine'\n(Did you mean unfreeze?)\n${usage('machine')}`,
    exit: 64,
  },
  {
    line: 'list-units --driver etcd',
    stderr: /^Error: Unable to initialize client: there is no driver "etcd".*\nLeave --driver/,
    exit: 64,
  },
  { line: 'list-units --driver x', stderr: /^Error: Unable to initialize client: unrecognized driver "x"\n/, exit: 64 },
  {
    line: 'list-units --endpoint /a',
    stderr: /^Error: Unable to initialize client: .*the URL scheme is missing\n/,
    exit: 64,
  },
  {
    line: 'list-units --tunnel me:2222',
    stderr: /^Error: Unable to initialize client: a tunnel.*\n.*\n {2}ssh .*-p 2222 -L/,
    exit: 64,
  },
  { line: 'version --endpoint nonsense --tunnel x', stdout: /^fleetctl version \S+\n$/ },
  {
    line: 'list-units --etcd-key-prefix=/x --experimental-api=false --ssh-timeout=2.5 --strict-host-key-checking=0',
    stdout: /^UNIT/,
  },
];

testLines(mistaken);
