/** A JSON Schema, as far as discovery documents have it. */
export interface DiscoverySchema {
  readonly description?: string;
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number';
  readonly format?: 'int32' | 'double';
  readonly required?: true;
  readonly enum?: readonly string[];
  readonly $ref?: string;
  readonly items?: DiscoverySchema;
  readonly properties?: Readonly<Record<string, DiscoverySchema>>;
  /** Of what type the values of a map are. */
  readonly additionalProperties?: DiscoverySchema;
}

const text = (description: string): DiscoverySchema => ({ type: 'string', description });
const count = (description: string): DiscoverySchema => ({ type: 'integer', format: 'int32', description });
const time = (description: string): DiscoverySchema => ({
  type: 'number',
  format: 'double',
  description: `${description}, in milliseconds since 1970`,
});
/** Larger than an int32 some day: it may be a revision of etcd. */
const order = (description: string): DiscoverySchema => ({ type: 'number', format: 'double', description });
const state = (description: string): DiscoverySchema => ({
  type: 'string',
  enum: ['inactive', 'loaded', 'launched'],
  description,
});
const listOf = (name: string): DiscoverySchema => ({ type: 'array', items: { $ref: name } });

const nextPageToken = text('What to ask for the next page with; absent on the last one');

/** What the API takes and answers, by name. */
export const discoverySchemas: Readonly<Record<string, Readonly<Record<string, DiscoverySchema>>>> = {
  Machine: {
    frozen: text('Why the machine starts and stops nothing, if so'),
    id: text('What identifies the machine in its cluster'),
    maxUnits: count('How many units it takes'),
    metadata: { type: 'object', additionalProperties: { type: 'string' }, description: 'What counts of its metadata' },
    primaryIP: text('Where it is reached'),
    version: text('Version of its fleetd'),
  },
  MachinePage: {
    alarms: listOf('Alarm'),
    losses: listOf('Loss'),
    machines: listOf('Machine'),
    nextPageToken,
  },
  Alarm: {
    code: text('What kind of alarm it is'),
    member: text('The member of etcd that it is about'),
    message: text('What is wrong, and what to do'),
  },
  Loss: {
    machineID: text('A machine that is gone'),
    primaryIP: text('Where it was reached'),
    since: time('When it was found to be gone'),
    state: { type: 'string', enum: ['grace', 'brake', 'rate', 'lost'], description: 'What is made of that' },
    units: count('How many units it had'),
  },
  MachinePatchOperation: {
    op: { type: 'string', enum: ['add', 'remove', 'replace'], description: 'add and replace do the same' },
    path: text('/<machine ID>/metadata/<key>'),
    value: text('What add and replace set; {"value": "..."} does the same'),
  },
  UnitOption: {
    name: text('What stands before the equals sign'),
    section: text('The section that it stands in, without brackets'),
    value: text('What stands after the equals sign'),
  },
  Unit: {
    currentState: state('Where the unit is; for answers only'),
    desiredState: state('What is asked of the unit'),
    file: text('The unit file byte for byte; only of single units'),
    fileHash: text('SHA-256 of the unit file, in hex; for answers only'),
    machineID: { ...text('Where the unit is placed; for answers only'), required: true },
    name: text('The unit’s name, with its type'),
    options: listOf('UnitOption'),
    owner: text('The directory whose the unit is, if it is one’s; for answers only'),
    reason: text('Why the unit waits; for answers only'),
    waitingSince: time('Since when it waits; for answers only'),
  },
  UnitPage: { nextPageToken, units: listOf('Unit') },
  UnitState: {
    error: text('What went wrong with its last load, start or stop'),
    hash: text('SHA-1 of the unit file on the machine, in hex'),
    machineID: text('The machine whose systemd says so'),
    name: text('The unit’s name'),
    order: order('Which order to start it was carried out last'),
    since: time('When the active state became this one'),
    systemdActiveState: text('ActiveState= of systemd'),
    systemdLoadState: text('LoadState= of systemd'),
    systemdSubState: text('SubState= of systemd'),
    waitsFor: text('turn: it is to be replaced, and others of its kind come first'),
  },
  UnitStatePage: { nextPageToken, states: listOf('UnitState') },
};
