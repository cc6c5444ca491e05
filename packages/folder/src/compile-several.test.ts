import { describeCases, good, unreadable } from './testing/folder-cases.js';

describeCases('bundles', [
  {
    says: 'have units',
    files: { 'x.units': `# ---- b.service\n${good}\n# ---- a.service\n${good}` },
    units: ['a.service x.units:6', 'b.service x.units:2'],
    gone: ['c.service x.units'],
  },
  {
    says: 'name the line in the bundle',
    files: {
      'x.units': `# ---- a.service\n${good}# ---- b.service\n${good}[X-Fleet]\nGlobal=maybe\n# ---- c.service\n${good}`,
    },
    units: ['a.service x.units:2', 'c.service x.units:10'],
    problems: [/^x\.units:8 \[X-Fleet\] Global= is neither/],
    doubtful: ['b.service x.units', 'b.service'],
    gone: ['d.service x.units'],
  },
  {
    says: 'name the separator of an empty section',
    files: { 'x.units': `# ---- a.service\n\n# ---- b.service\n${good}# ---- c.service` },
    units: ['b.service x.units:4'],
    problems: [/^x\.units:1 there is nothing/, /^x\.units:6 there is nothing/],
    doubtful: ['a.service x.units', 'c.service x.units'],
  },
  {
    says: 'name the separator of a section without options',
    files: { 'x.units': `\n# ---- a.service\n[A]\n` },
    problems: [/^x\.units:2 the unit file has no options$/],
  },
  {
    says: 'with a separator that names no unit leave those in doubt that they have no more',
    files: {
      'x.units': `# ---- a.service\n${good}# ---- b service\n${good}`,
      'y.units': `# ---- c.service\n${good}`,
    },
    units: ['a.service x.units:2', 'c.service y.units:2'],
    problems: [/^x\.units:4 .*"b service" is not the name of one/],
    doubtful: ['b.service x.units', 'z.service x.units'],
    gone: ['d.service y.units', 'b.service'],
  },
  {
    says: 'begin with a separator',
    files: { 'x.units': good },
    problems: [/^x\.units:1 only comments/],
    doubtful: ['a.service x.units'],
  },
  {
    says: 'cannot be empty',
    files: { 'x.units': '\n' },
    problems: [/^x\.units: there is nothing/],
    doubtful: ['a.service x.units'],
  },
  { says: 'may be only a comment', files: { 'x.units': '# none yet\n' }, gone: ['a.service x.units'] },
  {
    says: 'that cannot be read',
    files: { 'x.units': unreadable },
    problems: [/^x\.units: cannot be read$/],
    doubtful: ['a.service x.units'],
    gone: ['a.service'],
  },
  {
    says: 'with a name that a terminal would obey',
    files: { 'x\u001b[2J.units': `# ---- a.service\n${good}` },
    problems: [/^x\\u\{1b\}\[2J\.units: the name has/],
  },
]);

describeCases('lists of instances', [
  {
    says: 'make instances',
    files: { 'a@.service': good, 'a@.instances': '\ufeff# two\r\n one \r\n\r\n2 # the second\n' },
    units: ['a@.service a@.service:1', 'a@2.service a@.instances:4', 'a@one.service a@.instances:2'],
    gone: ['a@3.service a@.instances'],
  },
  {
    says: 'take the template from a bundle',
    files: { 'x.units': `# ---- a@.service\n${good}`, 'a@.instances': '1' },
    units: ['a@.service x.units:2', 'a@1.service a@.instances:1'],
  },
  {
    says: 'take the only template',
    files: { 'a@.timer': good, 'b@.socket': good, 'a@.instances': '1' },
    units: ['a@.timer a@.timer:1', 'a@1.timer a@.instances:1', 'b@.socket b@.socket:1'],
  },
  {
    says: 'take the service of several templates',
    files: { 'a@.timer': good, 'a@.service': good, 'a@.instances': '1' },
    units: ['a@.service a@.service:1', 'a@.timer a@.timer:1', 'a@1.service a@.instances:1'],
  },
  {
    says: 'do not guess',
    files: { 'a@.timer': good, 'a@.socket': good, 'a@.instances': '1' },
    units: ['a@.socket a@.socket:1', 'a@.timer a@.timer:1'],
    problems: [/^a@\.instances: lists instances of a@\.socket or a@\.timer/],
    doubtful: ['a@1.timer a@.instances'],
  },
  {
    says: 'do not take another template while the right one may be in a bundle that is broken',
    files: { 'a@.timer': good, 'x.units': unreadable, 'a@.instances': '1' },
    units: ['a@.timer a@.timer:1'],
    problems: [/^a@\.instances: lists instances of a@\.service, which may be in a bundle/, /^x\.units: /],
    doubtful: ['a@1.service a@.instances'],
  },
  {
    says: 'leave an instance in doubt whose own text may be in a bundle that is broken',
    files: { 'a@.service': good, 'x.units': unreadable, 'a@.instances': '1' },
    units: ['a@.service a@.service:1', 'a@1.service a@.instances:1'],
    problems: [/^x\.units: /],
    doubtful: ['a@1.service x.units'],
    gone: ['a@1.service a@.instances', 'a@.service x.units'],
  },
  {
    says: 'need a template',
    files: { 'a@.instances': '1', 'a@1.timer': good },
    units: ['a@1.timer a@1.timer:1'],
    problems: [/^a@\.instances: lists instances of a@\.service, which is not there/],
    doubtful: ['a@1.service a@.instances'],
    gone: ['a@.service'],
  },
  {
    says: 'go on after a bad line',
    files: { 'a@.service': good, 'a@.instances': '1\nb c\na@7.service\n1\n2\n' },
    units: ['a@.service a@.service:1', 'a@1.service a@.instances:1', 'a@2.service a@.instances:5'],
    problems: [
      /^a@\.instances:2 "b c" can't be/,
      /^a@\.instances:3 write only .*7 instead of a@7\.service/,
      /^a@\.instances:4 1 is there already, on line 1/,
    ],
    doubtful: ['a@9.service a@.instances'],
  },
  {
    says: 'are UTF-8',
    files: { 'a@.service': good, 'a@.instances': Buffer.of(0x31, 0x0a, 0xff, 0x0a) },
    units: ['a@.service a@.service:1', 'a@1.service a@.instances:1'],
    problems: [/^a@\.instances:2 is not valid UTF-8$/],
  },
  {
    says: 'cannot be empty',
    files: { 'a@.service': good, 'a@.instances': '' },
    units: ['a@.service a@.service:1'],
    problems: [/^a@\.instances: there is nothing/],
    doubtful: ['a@1.service a@.instances'],
  },
  {
    says: 'may be only a comment',
    files: { 'a@.service': good, 'a@.instances': '# none' },
    units: ['a@.service a@.service:1'],
    gone: ['a@1.service a@.instances'],
  },
  {
    says: 'give way to files',
    files: { 'a@.service': good, 'a@.instances': '1\n2', 'a@1.service': `${good}# own\n` },
    units: ['a@.service a@.service:1', 'a@1.service a@1.service:1', 'a@2.service a@.instances:2'],
  },
  {
    says: 'give way to sections',
    files: { 'a@.service': good, 'a@.instances': '1', 'x.units': `# ---- a@1.service\n${good}` },
    units: ['a@.service a@.service:1', 'a@1.service x.units:2'],
  },
  {
    says: 'give way to broken files too',
    files: { 'a@.service': good, 'a@.instances': '1', 'a@1.service': 'x' },
    units: ['a@.service a@.service:1'],
    problems: [/^a@1\.service: /],
    doubtful: ['a@1.service a@.instances', 'a@1.service'],
  },
  {
    says: 'have nothing to say of a broken template',
    files: { 'a@.service': 'oops\n[', 'a@.instances': '1' },
    problems: [/^a@\.service:2 /],
    doubtful: ['a@1.service a@.instances'],
    gone: ['a@2.service a@.instances'],
  },
  {
    says: 'are told which instance makes no sense, and where',
    files: {
      'x.units': `# ---- a@.service\n${good}[X-Fleet]\nMachineOf=b@%i.service\nMachineOf=a@1.service\n`,
      'a@.instances': '1\n2',
    },
    units: ['a@.service x.units:2', 'a@2.service a@.instances:2'],
    problems: [
      /^a@\.instances:1 a@1\.service can't be made of x\.units:6: \[X-Fleet\] MachineOf= names the unit itself/,
    ],
    doubtful: ['a@1.service a@.instances'],
  },
  {
    says: 'cannot be read',
    files: { 'a@.service': good, 'a@.instances': unreadable },
    units: ['a@.service a@.service:1'],
    problems: [/^a@\.instances: cannot be read$/],
    doubtful: ['a@1.service a@.instances'],
  },
]);
