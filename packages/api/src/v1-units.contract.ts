import { describe } from 'node:test';
import {
  describeStories,
  done,
  fails,
  fileHashOf,
  ok,
  type Scene,
  type Step,
  type Story,
  type V1Harness,
} from './v1-harness.js';

const execStart = (value = '/bin/true') => ({ name: 'ExecStart', section: 'Service', value });
const options = [execStart()];
const text = '[Service]\nExecStart=/bin/true\n';
const fileHash = fileHashOf(text);
const unit = '/units/a.service';
const put = `PUT ${unit}`;
const get = `GET ${unit}`;
const exists = done(put, 201, { options });
const nothingNew = ok('GET /units', {});

/** The unit as it was made by {@link exists}, in the list. */
const made = { currentState: 'inactive', desiredState: 'inactive', fileHash, name: 'a.service', options };
const unchanged = ok('GET /units', { units: [made] });

const newDiffers = 'fleet: 500, and the content is stored';

/** Rules 1 to 8 in their order: each row breaks its own rule and all later ones that it can. */
const refusedNew: readonly Step[] = [
  fails(put, [415, 'expected 1 Content-Type, got 0'], { types: [], body: '{' }),
  fails(put, [415, 'expected 1 Content-Type, got 2'], { types: ['application/json', 'application/json'], body: '{' }),
  ...['text/plain', 'Application/JSON', 'application/json2', '', 'application/json, text/plain'].map((type) =>
    fails(put, [415, 'only acceptable Content-Type is application/json'], { types: [type], body: '{' }),
  ),
  fails('PUT /units/a%20b', [415, 'expected 1 Content-Type, got 0'], { types: [] }),
  fails('PUT /units/a%20b', [400, 'unable to decode body: EOF'], { body: '' }),
  ...[
    '{',
    '[]',
    '1',
    '"a"',
    'nonsense',
    '{"options":1}',
    '{"options":[1]}',
    '{"name":1}',
    '{"options":[{"name":1}]}',
  ].map((body) => fails('PUT /units/a%20b', [400, /^unable to decode body: ./], { body })),
  fails('PUT /units/a%20b', [400, 'name in URL "a b" differs from unit name in request body "b"'], {
    body: { name: 'b', desiredState: 'x' },
  }),
  fails('PUT /units/a%20b', [400, 'unit name must contain "."'], { body: { name: 'a b', desiredState: 'x' } }),
  fails(put, [400, 'invalid desired state "Launched": expect inactive, loaded, launched'], {
    body: { desiredState: 'Launched', options },
    differs: newDiffers,
  }),
  fails(put, [409, 'unit does not exist and options field empty'], { body: {} }),
  fails(put, [409, 'unit does not exist and options field empty'], { body: 'null' }),
  fails(put, [409, 'unit does not exist and options field empty'], { body: ' null x' }),
  fails(put, [409, 'unit does not exist and options field empty'], { body: { desiredState: 'launched', options: [] } }),
  fails(put, [409, 'unit does not exist and options field empty'], { body: { options: null, desiredState: null } }),
  fails('PUT /units/a@.service', [409, 'unit does not exist and options field empty'], {
    body: { desiredState: 'launched' },
  }),
  fails('PUT /units/a@.service', [400, 'cannot activate template "a@.service"'], {
    body: { desiredState: 'launched', options },
    differs: 'fleet: 201, and it is scheduled',
  }),
];

const names: readonly (readonly [name: string, text: string])[] = [
  [`${'a'.repeat(249)}.service`, 'unit name exceeds maximum length (256)'],
  [`${'a'.repeat(300)}`, 'unit name exceeds maximum length (256)'],
  [`${'ä'.repeat(125)}.service`, 'unit name exceeds maximum length (256)'],
  ['a', 'unit name must contain "."'],
  ['a b', 'unit name must contain "."'],
  ['a.', 'unit name cannot end in "."'],
  ['a.b.', 'unit name cannot end in "."'],
  ['a.socks', 'invalid unit type: "socks"'],
  ['a.Service', 'invalid unit type: "Service"'],
  ['a.service ', 'invalid unit type: "service "'],
  ['a@.mount', 'invalid unit type for template: "mount"'],
  ['a@1.slice', 'invalid unit type for template: "slice"'],
  ...[...' %+#$äé☃"*{}'].map((char): readonly [string, string] => [
    `a${char}b.service`,
    `invalid character '${char}' in unit name`,
  ]),
  ['@.service', 'unit name cannot start in "@"'],
  ['@1.service', 'unit name cannot start in "@"'],
];

const goodNames = ['a@1.service', 'a@b@c.timer', 'a\\x2db.mount', 'A-b_c:d.0.socket', `${'a'.repeat(248)}.service`];
const types = 'automount busname device mount path scope service slice snapshot socket swap target timer'.split(' ');

const fleet = (...pairs: string[]) => [
  execStart(),
  ...pairs.map((pair) => {
    const at = pair.indexOf('=');
    return { name: pair.slice(0, at), section: 'X-Fleet', value: pair.slice(at + 1) };
  }),
];

const sentence = 'fleet: the words alone, without file and option';
const unspoken = 'fleet: 201';
/** Content that is none, as a new unit or a known one. */
const badContent: readonly (readonly [body: object, text: string | RegExp, differs: string])[] = [
  ...(
    [
      [['MachineID=m', 'MachineOf=b.service'], 'MachineID cannot be used with Peers'],
      [['MachineID=m', 'Conflicts=b.service'], 'MachineID cannot be used with Conflicts'],
      [['MachineID=m', 'Global=true'], 'MachineID cannot be used with Global'],
      [['MachineID=m', 'Replaces=b.service'], 'MachineID cannot be used with Replaces'],
      [['Global=true', 'MachineOf=b.service'], 'Global cannot be used with Peers'],
      [['Global=true', 'Replaces=b.service'], 'Global cannot be used with Replaces'],
      [['Conflicts=b.service', 'Replaces=c.service'], 'Conflicts cannot be used with Replaces'],
      [['MachineOf=b.service', 'Conflicts=b*'], 'unresolvable requirements: peer "b.service" matches conflict "b*"'],
      [['MachineOf=b.service', 'Replaces=b*'], 'unresolvable requirements: peer "b.service" matches replace "b*"'],
    ] as const
  ).map(([pairs, words]): readonly [object, RegExp, string] => [
    { options: fleet(...pairs) },
    new RegExp(`^a\\.service: .*${words.replace(/[*.]/g, '\\$&')}$`),
    sentence,
  ]),
  [{ options: fleet('MachineId=m') }, /MachineId=/, unspoken],
  [{ options: fleet('MachineMetadata=a=b c=d') }, /MachineMetadata= wants key=value/, unspoken],
  [{ options: [null] }, /^unable to decode body: options\.0: /, 'fleet: no answer, its handler crashes'],
  [{ options: [{ ...execStart(), value: 'a\nEvil=b' }] }, /newline/, 'fleet: 201, with an option more'],
  [{ options: [execStart('x'.repeat(2048))] }, /line too long \(max 2048 bytes\)$/, sentence],
  [{ file: 'nonsense' }, /./, 'fleet knows no file'],
  [{ desiredState: 'running', options }, /^invalid desired state "running": /, newDiffers],
];

const life: readonly Story[] = [
  {
    says: 'a unit is made, seen, changed, replaced and destroyed',
    steps: [
      done(put, 201, { options }),
      ok(get, { currentState: 'inactive', desiredState: 'inactive', file: text, fileHash, name: 'a.service', options }),
      unchanged,
      done(put, 204, { desiredState: 'loaded' }),
      done(put, 204, { desiredState: 'launched', name: 'a.service', options }),
      ok(get, { currentState: 'inactive', desiredState: 'launched', file: text, fileHash, name: 'a.service', options }),
      fails(put, [409, 'must provide DesiredState to update existing unit'], { body: { options } }),
      fails(put, [409, 'must provide DesiredState to update existing unit'], { body: {} }),
      done(put, 201, { options: [execStart('/bin/false')] }),
      ok('GET /units', {
        units: [
          { ...made, fileHash: fileHashOf('[Service]\nExecStart=/bin/false\n'), options: [execStart('/bin/false')] },
        ],
      }),
      done(`DELETE ${unit}`, 204),
      fails(`DELETE ${unit}`, [404, 'unit does not exist']),
      fails(get, [404, 'unit does not exist']),
      nothingNew,
    ],
  },
  {
    says: 'a PUT is read as Go reads it: fields in any case, unknown ones, and what follows the first value',
    steps: [
      done(
        put,
        201,
        `{"NAME":"a.service","Options":[{"SECTION":"Service","Name":"ExecStart","vaLue":"/bin/true"}],"x":1} {`,
      ),
      unchanged,
      done(put, 204, '{"desiredstate":"inactive","currentState":"launched","machineID":"m9"}]]'),
      unchanged,
      { ...done(put, 204, { desiredState: 'loaded' }), types: ['application/json; charset=utf-8'] },
      { ...done(put, 204, { desiredState: 'inactive' }), types: [' application/json ;x'] },
      unchanged,
    ],
  },
  {
    says: 'an empty value is left out',
    steps: [
      done(put, 201, { options: [{ name: 'ExecStart', section: 'Service', value: '' }] }),
      ok('GET /units', {
        units: [
          {
            ...made,
            fileHash: fileHashOf('[Service]\nExecStart=\n'),
            options: [{ name: 'ExecStart', section: 'Service' }],
          },
        ],
      }),
    ],
  },
  {
    says: 'a template can be kept, and not run',
    steps: [
      done('PUT /units/a@.service', 201, { options }),
      fails('PUT /units/a@.service', [400, 'cannot activate template "a@.service"'], {
        body: { desiredState: 'loaded' },
      }),
      done('PUT /units/a@.service', 204, { desiredState: 'inactive' }),
      done('PUT /units/a@1.service', 201, { desiredState: 'launched', options }),
    ],
  },
];

const whereabouts = async (scene: Scene) => {
  await scene.place('a.service', 'm1');
};

const globalText = `${text}\n[X-Fleet]\nGlobal=true\n`;

const reading: readonly Story[] = [
  {
    says: 'what a unit is placed on is told',
    given: whereabouts,
    steps: [
      done(put, 201, { options, desiredState: 'launched' }),
      ok('GET /units', {
        units: [
          {
            currentState: 'inactive',
            desiredState: 'launched',
            fileHash,
            machineID: 'm1',
            name: 'a.service',
            options,
          },
        ],
      }),
      ok(get, {
        currentState: 'inactive',
        desiredState: 'launched',
        file: text,
        fileHash,
        machineID: 'm1',
        name: 'a.service',
        options,
      }),
    ],
  },
  {
    says: 'a global unit is inactive and nowhere, in the list as alone',
    given: whereabouts,
    steps: [
      done(put, 201, { options: fleet('Global=true') }),
      ok('GET /units', { units: [{ ...made, fileHash: fileHashOf(globalText), options: fleet('Global=true') }] }),
      {
        ...ok(get, {
          currentState: 'inactive',
          desiredState: 'inactive',
          file: globalText,
          fileHash: fileHashOf(globalText),
          name: 'a.service',
          options: fleet('Global=true'),
        }),
        differs: 'fleet leaves currentState out here',
      },
    ],
  },
  {
    says: 'a name that none can have is one that is not there',
    steps: [
      ...['a%20b', 'a', '..%252f', '%00'].flatMap((name) => [
        fails(`GET /units/${name}`, [404, 'unit does not exist']),
        fails(`DELETE /units/${name}`, [404, 'unit does not exist']),
        fails(`GET /state/${name}`, [404, 'unit state does not exist']),
      ]),
    ],
  },
];

const otherOwner: readonly [number, string] = [
  409,
  'unit is owned by the directory "local": change or remove its file there, or run fleetctl adopt a.service first',
];

const owned: readonly Story[] = [
  {
    says: 'what an owner has is shown as its own, and only the owner changes its content or removes it',
    given: (scene) => scene.unit('a.service', { text, owner: 'local' }),
    steps: [
      ok('GET /units', { units: [{ ...made, owner: 'local' }] }),
      ...[{ options: [execStart('/bin/false')] }, { file: `# why\n${text}` }].flatMap((content) => [
        fails(put, otherOwner, { body: content }),
        fails(put, otherOwner, { body: { ...content, desiredState: 'launched' } }),
      ]),
      fails(`DELETE ${unit}`, otherOwner),
      ok(get, {
        currentState: 'inactive',
        desiredState: 'inactive',
        file: text,
        fileHash,
        name: 'a.service',
        options,
        owner: 'local',
      }),
    ],
  },
  {
    says: 'what an owner has is started and stopped by all, and stays its own',
    given: (scene) => scene.unit('a.service', { text, owner: 'local' }),
    steps: [
      done(put, 204, { desiredState: 'launched' }),
      done(put, 204, { desiredState: 'loaded', options }),
      done(put, 204, { desiredState: 'launched', file: text }),
      fails(put, [409, 'must provide DesiredState to update existing unit'], { body: { options } }),
      ok('GET /units', { units: [{ ...made, desiredState: 'launched', owner: 'local' }] }),
      done(put, 204, { desiredState: 'inactive' }),
      ok('GET /units', { units: [{ ...made, owner: 'local' }] }),
    ],
  },
];

/** One unit: what is read of it and what is asked of it. */
export function describeUnits(open: () => V1Harness): void {
  describe('units', () => {
    describeStories(open, [
      {
        says: 'a PUT is refused by the first rule that it breaks, and nothing is stored',
        steps: [...refusedNew, nothingNew],
      },
      {
        says: 'a name that is none is refused, and nothing is stored',
        steps: [
          ...names.map(([name, why]) =>
            fails(`PUT /units/${encodeURIComponent(name)}`, [400, why], { body: { options } }),
          ),
          fails('PUT /units/.service', [400, 'unit name cannot be only a type: ".service"'], {
            body: { options },
            differs: 'fleet: 201, of a unit that systemd can not load',
          }),
          nothingNew,
        ],
      },
      {
        says: 'a name that is one is taken',
        steps: [...goodNames, ...types.map((type) => `t.${type}`)].flatMap((name) => [
          done(`PUT /units/${encodeURIComponent(name)}`, 201, { options }),
          done(`DELETE /units/${encodeURIComponent(name)}`, 204),
        ]),
      },
      {
        says: 'content that is none is refused, and nothing is stored',
        steps: [...badContent.map(([body, why, differs]) => fails(put, [400, why], { body, differs })), nothingNew],
      },
      {
        says: 'content that is none is refused of a unit that there is, too, and the unit stays as it is',
        steps: [
          exists,
          ...badContent.map(([body, why, differs]) => fails(put, [400, why], { body, differs })),
          unchanged,
        ],
      },
      ...life,
      ...reading,
      ...owned,
    ]);
  });
}
