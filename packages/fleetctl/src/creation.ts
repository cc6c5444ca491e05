import type { LaunchStateWord } from '@flotilla/schema';
import type { UnitHash } from '@flotilla/unit';

/** Commands that create what is not there yet. */
export type CreatingVerb = 'submit' | 'load' | 'start';

/** The state that each asks for. */
export const stateOfVerb: Readonly<Record<CreatingVerb, LaunchStateWord>> = {
  submit: 'inactive',
  load: 'loaded',
  start: 'launched',
};

/** What is known of one argument before anything is changed. */
export interface CreationInput {
  readonly verb: CreatingVerb;
  readonly name: string;
  /** Where the argument says that the unit file is. */
  readonly path: string;
  /** The same from the root: a name alone says nothing of the folder that was looked in. */
  readonly fullPath: string;
  readonly isReplacing: boolean;
  /** The unit as it is registered. */
  readonly stored?: {
    readonly desiredState: LaunchStateWord;
    readonly hash: UnitHash;
    /** Who alone may give it other content; `undefined`: anybody may. */
    readonly owner?: string | undefined;
  };
  /** The file on this machine: the unit's own, or its template's. */
  readonly local?: { readonly kind: 'unit' | 'template'; readonly hash: UnitHash; readonly path: string };
  /** The template in the registry, of an instance that has no file of its own. */
  readonly storedTemplate?: { readonly name: string; readonly hash: UnitHash };
}

/** What becomes of one argument. */
export interface CreationStep {
  /** `keep` what is registered; `put` the content of `from`; `refuse`: leave the unit alone; `lack`: there is no content. */
  readonly action: 'keep' | 'put' | 'refuse' | 'lack';
  readonly from?: 'local' | 'stored-template';
  /** Lines for stderr. */
  readonly warnings?: readonly string[];
  /** A line for stdout. */
  readonly note?: string;
}

/** Desired states in which each verb may replace a unit: none lets a running unit be stopped by surprise. */
const replaceable: Readonly<Record<CreatingVerb, readonly LaunchStateWord[]>> = {
  submit: ['inactive'],
  load: ['inactive', 'loaded'],
  start: ['inactive', 'loaded', 'launched'],
};

/** Decides where a unit's content comes from. A unit that is registered stays as it is, unless it may be replaced. */
export function decideCreation(input: CreationInput): CreationStep {
  if (input.stored === undefined) return decideNew(input);
  return input.isReplacing ? decideReplacement(input, input.stored) : decideKept(input, input.stored);
}

function decideNew({ name, local, storedTemplate, fullPath }: CreationInput): CreationStep {
  if (local?.kind === 'unit') return { action: 'put', from: 'local' };
  if (storedTemplate !== undefined) {
    const step = { action: 'put', from: 'stored-template' } as const;
    if (local === undefined || local.hash === storedTemplate.hash) return step;
    return { ...step, warnings: [differs({ name: storedTemplate.name, local })] };
  }
  if (local !== undefined) return { action: 'put', from: 'local' };
  return {
    action: 'lack',
    warnings: [`Error creating units: unable to find Unit(${name}) in Registry or on filesystem (${fullPath})`],
  };
}

function decideKept({ name, local }: CreationInput, stored: NonNullable<CreationInput['stored']>): CreationStep {
  if (local === undefined || local.hash === stored.hash) return { action: 'keep' };
  return { action: 'keep', warnings: [differs({ name, local, owner: stored.owner })] };
}

function decideReplacement(input: CreationInput, stored: NonNullable<CreationInput['stored']>): CreationStep {
  const { verb, name, path, fullPath, local, storedTemplate } = input;
  const content = local ?? storedTemplate;
  if (content === undefined)
    return {
      action: 'lack',
      warnings: [`Error creating units: there is nothing to replace Unit(${name}) with: ${fullPath} does not exist`],
    };
  if (content.hash === stored.hash)
    return { action: 'keep', note: `Found same Unit(${name}) in Registry, nothing to do` };
  if (!replaceable[verb].includes(stored.desiredState)) {
    const { desiredState } = stored;
    const warning = `Warning: can not replace Unit(${name}) in state '${desiredState}', use the appropriate command`;
    const other = desiredState === 'launched' ? 'start' : 'load';
    const advice = `It stays ${desiredState} with its old content; fleetctl ${other} --replace ${path} replaces it.`;
    return { action: 'refuse', warnings: [warning, advice] };
  }
  return { action: 'put', from: local === undefined ? 'stored-template' : 'local' };
}

function differs({
  name,
  local,
  owner,
}: {
  readonly name: string;
  readonly local: NonNullable<CreationInput['local']>;
  readonly owner?: string | undefined;
}): string {
  const file = local.kind === 'template' ? 'local template unit file' : 'local unit file';
  const advice =
    owner === undefined
      ? 'Add --replace to override.'
      : `It belongs to the directory "${owner}": change its file there.`;
  return `WARNING: Unit ${name} in registry differs from ${file} ${local.path}. ${advice}`;
}
