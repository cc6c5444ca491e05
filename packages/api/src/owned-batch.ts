import { FleetError } from '@flotilla/errors';
import {
  applyClaimant,
  type ClaimChange,
  type ClaimOutcome,
  type ClaimSide,
  changeClaims,
  type DirectoryChange,
  type DirectoryHostRecord,
  type HoldChange,
  joinDirectory,
  listDirectories,
  newDirectoryHost,
  readClaims,
  removeDirectoryHost,
  type UnitChange,
  type UnitResult,
  writeDirectoryHost,
} from '@flotilla/registry';
import { type OwnerName, type UnitName, unitNameParts } from '@flotilla/unit';
import type { ApiDeps } from './deps.js';
import { rivals, type Verdict, verdictOnClaim } from './verdict.js';

/** What a batch asks for, as far as it makes sense. */
export interface AskedChanges {
  readonly changes: ReadonlyMap<UnitName, UnitChange>;
  readonly deletions: readonly UnitName[];
}

type Outcomes = ReadonlyMap<UnitName, UnitResult<ClaimOutcome>>;

/** Says on behalf of an owner, as `fleetctl apply` does, which units are wanted and which are no longer. */
export async function changeForOwner(
  deps: ApiDeps,
  owner: OwnerName,
  { changes, deletions }: AskedChanges,
): Promise<ReadonlyMap<UnitName, UnitResult<Verdict>>> {
  const results = new Map<UnitName, UnitResult<Verdict>>();
  const claims = new Map<UnitName, ClaimChange>();
  for (const [name, change] of changes) {
    const hold = toHold(name, change);
    if ('status' in hold) results.set(name, { kind: 'settled', outcome: hold });
    else claims.set(name, hold);
  }
  for (const name of deletions) claims.set(name, { kind: 'drop', isExplicit: true });
  for (const [name, result] of await claim(deps, owner, claims)) results.set(name, judge(name, result, owner));
  return results;
}

function judge(name: UnitName, result: UnitResult<ClaimOutcome>, owner: OwnerName): UnitResult<Verdict> {
  if (result.kind === 'settled') return { kind: 'settled', outcome: verdictOnClaim(name, result.outcome, owner) };
  // Somebody else has just wanted the last of what was applied no longer.
  const isContended = result.error instanceof FleetError && result.error.code === 'not-joined';
  return isContended ? { kind: 'settled', outcome: rivals } : result;
}

function toHold(name: UnitName, { content, desiredState }: UnitChange): HoldChange | Verdict {
  if (content === undefined)
    return { status: 400, message: 'options and file are empty: an owner says what is in its units' };
  const isTemplate = unitNameParts(name).isTemplate;
  if (isTemplate && desiredState !== undefined && desiredState !== 'inactive')
    return { status: 400, message: `cannot activate template "${name}"` };
  return {
    kind: 'hold',
    content,
    desiredState: desiredState ?? (isTemplate ? 'inactive' : 'launched'),
    source: name,
    isExplicit: true,
  };
}

async function claim(deps: ApiDeps, owner: OwnerName, claims: ReadonlyMap<UnitName, ClaimChange>): Promise<Outcomes> {
  if (claims.size === 0) return new Map();
  const side: ClaimSide = { owner, claimant: applyClaimant };
  let before: DirectoryHostRecord | undefined;
  try {
    // Who only wants less need not be known.
    const isHolding = [...claims.values()].some(({ kind }) => kind === 'hold');
    before = isHolding ? await joinDirectory(deps, side, nothingYet) : await findRow(deps, owner);
  } catch (error) {
    return new Map([...claims.keys()].map((name) => [name, { kind: 'failed', error }]));
  }
  const outcomes = await changeClaims(deps, side, claims);
  await tell(deps, { owner, before, outcomes }).catch((error: unknown) =>
    deps.log.warn('how many units an owner has was not written', { owner, error }),
  );
  return outcomes;
}

const nothingYet = newDirectoryHost('', true);

async function findRow(deps: ApiDeps, owner: OwnerName): Promise<DirectoryHostRecord | undefined> {
  return (await listDirectories(deps, owner)).find(({ claimant }) => claimant === applyClaimant)?.record;
}

interface Told {
  readonly owner: OwnerName;
  readonly before: DirectoryHostRecord | undefined;
  readonly outcomes: Outcomes;
}

/** Has the row say what was applied, and not be there for nothing. */
async function tell(deps: ApiDeps, { owner, before, outcomes }: Told): Promise<void> {
  const side: ClaimSide = { owner, claimant: applyClaimant };
  const units = (await readClaims(deps, side)).size;
  const lastChange = findChange(deps.clock.now(), outcomes);
  if (units === 0) await removeDirectoryHost(deps, side);
  else if (units !== before?.units || lastChange !== undefined)
    await writeDirectoryHost(deps, side, { ...nothingYet, ...before, units, ...(lastChange && { lastChange }) });
}

/** `undefined` if no unit was changed. */
function findChange(at: number, outcomes: Outcomes): DirectoryChange | undefined {
  const namesOf = (...kinds: readonly ClaimOutcome[]) =>
    [...outcomes].flatMap(([name, result]) =>
      result.kind === 'settled' && kinds.includes(result.outcome) ? [name] : [],
    );
  const [created, changed, removed] = [namesOf('created'), namesOf('replaced', 'updated'), namesOf('destroyed')];
  const units = [...created, ...changed, ...removed].sort();
  if (units.length === 0) return undefined;
  return {
    at,
    created: created.length,
    changed: changed.length,
    removed: removed.length,
    units: units.slice(0, mostNames),
  };
}

/** For people: what the last change was about. */
const mostNames = 10;
