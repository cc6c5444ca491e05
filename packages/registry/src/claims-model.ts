import type { LaunchState } from '@flotilla/cluster';

/**
 * For tests: what one unit and the claims on it come to, said as simply as can be, one act after the other. Files are two characters:
 * those with the same first one differ in comments only.
 */
export interface ModelUnit {
  readonly unit: { readonly owner: string | undefined; readonly file: string; readonly state: LaunchState } | undefined;
  /** `<owner> <claimant>` to the file that it saw last. */
  readonly claims: ReadonlyMap<string, string>;
}

export const emptyModel: ModelUnit = { unit: undefined, claims: new Map() };

export type ModelAct =
  | {
      readonly kind: 'hold';
      readonly owner: string;
      readonly claimant: string;
      readonly file: string;
      readonly isExplicit: boolean;
    }
  | { readonly kind: 'drop'; readonly owner: string; readonly claimant: string; readonly isExplicit: boolean }
  | { readonly kind: 'adopt'; readonly owner: string | undefined }
  | { readonly kind: 'put'; readonly file: string; readonly state: LaunchState }
  | { readonly kind: 'ask'; readonly state: LaunchState }
  | { readonly kind: 'delete' }
  /** Who claims nothing is no claimant any more. */
  | { readonly kind: 'leave'; readonly owner: string; readonly claimant: string };

export interface ModelAnswer {
  readonly after: ModelUnit;
  readonly outcome: string;
}

export function actOnModel(before: ModelUnit, act: ModelAct): ModelAnswer {
  switch (act.kind) {
    case 'hold':
      return hold(before, act);
    case 'drop':
      return drop(before, act);
    case 'adopt':
      return adopt(before, act.owner);
    case 'put':
      return put(before, act);
    case 'ask':
      return ask(before, act.state);
    case 'delete':
      return destroy(before);
    case 'leave':
      return { after: before, outcome: 'left' };
  }
}

type Hold = Extract<ModelAct, { kind: 'hold' }>;

function hold(before: ModelUnit, { owner, claimant, file, isExplicit }: Hold): ModelAnswer {
  const { unit, claims } = before;
  const own = `${owner} ${claimant}`;
  const claimed = new Map(claims).set(own, file);
  if (claims.get(own) === file && !isExplicit) return { after: before, outcome: 'unchanged' };
  if (unit === undefined)
    return { after: { unit: { owner, file, state: 'launched' }, claims: claimed }, outcome: 'created' };
  if (unit.owner !== owner) return { after: before, outcome: `owned by ${unit.owner}` };
  if (unit.file === file) return { after: { unit, claims: claimed }, outcome: 'unchanged' };
  const areThereOthers = [...claims.keys()].some((who) => who !== own && who.startsWith(`${owner} `));
  if (!claims.has(own) && !isExplicit && areThereOthers) return { after: { unit, claims: claimed }, outcome: 'behind' };
  const outcome = unit.file[0] === file[0] ? 'updated' : 'replaced';
  return { after: { unit: { owner, file, state: 'launched' }, claims: claimed }, outcome };
}

function drop(
  { unit, claims }: ModelUnit,
  { owner, claimant, isExplicit }: Extract<ModelAct, { kind: 'drop' }>,
): ModelAnswer {
  const left = new Map(claims);
  const isMeant = left.delete(`${owner} ${claimant}`) || isExplicit;
  const isLast = isMeant && ![...left.keys()].some((who) => who.startsWith(`${owner} `));
  if (!isLast || unit === undefined || unit.owner !== owner)
    return { after: { unit, claims: left }, outcome: 'dropped' };
  return { after: { unit: undefined, claims: left }, outcome: 'destroyed' };
}

function adopt({ unit, claims }: ModelUnit, owner: string | undefined): ModelAnswer {
  if (unit === undefined) return { after: { unit, claims }, outcome: 'absent' };
  if (unit.owner === owner) return { after: { unit, claims }, outcome: 'same' };
  return { after: { unit: { ...unit, owner }, claims }, outcome: `adopted from ${unit.owner}` };
}

function put({ unit, claims }: ModelUnit, { file, state }: Extract<ModelAct, { kind: 'put' }>): ModelAnswer {
  if (unit === undefined) return { after: { unit: { owner: undefined, file, state }, claims }, outcome: 'created' };
  if (unit.file === file) return ask({ unit, claims }, state);
  if (unit.owner !== undefined) return { after: { unit, claims }, outcome: `owned by ${unit.owner}` };
  const outcome = unit.file[0] === file[0] ? 'updated' : 'replaced';
  return { after: { unit: { ...unit, file, state }, claims }, outcome };
}

function ask({ unit, claims }: ModelUnit, state: LaunchState): ModelAnswer {
  if (unit === undefined) return { after: { unit, claims }, outcome: 'absent' };
  return { after: { unit: { ...unit, state }, claims }, outcome: unit.state === state ? 'unchanged' : 'updated' };
}

function destroy({ unit, claims }: ModelUnit): ModelAnswer {
  if (unit === undefined) return { after: { unit, claims }, outcome: 'absent' };
  if (unit.owner !== undefined) return { after: { unit, claims }, outcome: `owned by ${unit.owner}` };
  return { after: { unit: undefined, claims }, outcome: 'deleted' };
}
