import { currentState, explain } from '@flotilla/cluster';
import { deleteUnit, findUnit, type KnownUnit, listUnits } from '@flotilla/registry';
import type { Logger } from '@flotilla/runtime';
import { toUnitEntity, type UnitEntity } from '@flotilla/schema';
import { isUnitName } from '@flotilla/unit';
import { explainHeldBack } from './held-back.js';
import { answerPage } from './pages.js';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { json } from './responses.js';
import { findStoredFile } from './unit-content.js';
import { answerOf, noUnit, verdictOnDelete } from './verdict.js';

/** `GET units`. The submitted text is left out: it may be large, and the options say the same. */
export function getUnits(routed: RoutedRequest): Promise<ApiResponse> {
  const { deps } = routed;
  return answerPage(routed, {
    field: 'units',
    read: (request) => listUnits(deps, request),
    toEntity: (unit) => describe(unit, { log: deps.log, withFile: false }),
  });
}

/** `GET units/<name>` */
export async function getUnit({ deps, name }: RoutedRequest): Promise<ApiResponse> {
  const unit = isUnitName(name) ? await findUnit(deps, name) : undefined;
  return unit === undefined ? answerOf(noUnit) : json(describe(unit, { log: deps.log, withFile: true }));
}

/** `DELETE units/<name>` */
export async function removeUnit({ deps, name }: RoutedRequest): Promise<ApiResponse> {
  return answerOf(isUnitName(name) ? verdictOnDelete(name, await deleteUnit(deps, name)) : noUnit);
}

function describe(
  unit: KnownUnit,
  { log, withFile }: { readonly log: Logger; readonly withFile: boolean },
): UnitEntity {
  const { name, record, file } = unit;
  const stored = findStoredFile(file);
  if (stored === undefined) log.warn('a unit is shown without its options: its file is lost', { unit: name });
  const wait = findWait(unit);
  const placement = record.isGlobal ? undefined : unit.placement;
  return toUnitEntity({
    name,
    desiredState: record.desiredState,
    currentState: currentState({ placement, state: stateSinceOrder(unit) }),
    machineId: placement,
    options: stored?.options ?? [],
    file: withFile && file !== undefined ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(file) : undefined,
    fileHash: record.file,
    owner: record.owner,
    reason: wait?.why,
    waitingSince: wait?.since,
  });
}

/** What a unit waits for: a machine, or that its own is back, or lost. `since` is in epoch milliseconds. */
function findWait({
  record,
  placement,
  reason,
  loss,
}: KnownUnit): { readonly why: string; readonly since: number } | undefined {
  if (placement === undefined || record.isGlobal) return reason && { why: explain(reason), since: reason.since };
  if (record.desiredState === 'inactive' || loss === undefined) return undefined;
  if (loss.state === 'lost') return reason && { why: explain(reason), since: reason.since };
  return { why: explainHeldBack(placement, loss.state), since: loss.since };
}

/** The unit's state; `launched` no longer once another start is ordered, and again when that is carried out. */
function stateSinceOrder({ record, state }: KnownUnit): { readonly isLaunched: boolean } | undefined {
  return state && { isLaunched: state.isLaunched && state.order >= record.order };
}
