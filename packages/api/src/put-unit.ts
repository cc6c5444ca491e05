import type { LaunchState } from '@flotilla/cluster';
import { putUnit, type UnitChange } from '@flotilla/registry';
import { type ParsedPutUnit, type PutUnit, parsePutUnit } from '@flotilla/schema';
import { parseUnitName, UnitError, type UnitName } from '@flotilla/unit';
import { findWrongType } from './json-type.js';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { readUnitContent, type UnitContentReader } from './unit-content.js';
import { answerOf, type Verdict, verdictOnPut } from './verdict.js';

const launchStates: readonly LaunchState[] = ['inactive', 'loaded', 'launched'];

/** What a PUT asks for, or why it is refused before anything is looked up. */
export type CheckedPut =
  | { readonly kind: 'change'; readonly name: UnitName; readonly change: UnitChange }
  | { readonly kind: 'refused'; readonly verdict: Verdict };

/** `PUT units/<name>`: creates a unit, gives it new content, or asks for another state. */
export async function putUnitResource({ deps, request, name }: RoutedRequest): Promise<ApiResponse> {
  const wrongType = findWrongType(request);
  if (wrongType !== undefined) return wrongType;
  const checked = checkPut(name, parsePutUnit(request.body));
  if (checked.kind === 'refused') return answerOf(checked.verdict);
  return answerOf(verdictOnPut(checked.name, await putUnit(deps, checked.name, checked.change)));
}

/** Checks all of a PUT that can be checked without the registry. */
export function checkPut(
  nameInUrl: string,
  parsed: ParsedPutUnit,
  readContent: UnitContentReader = readUnitContent,
): CheckedPut {
  if (parsed.kind === 'refused') return refused(400, `unable to decode body: ${parsed.why}`);
  const { name: inBody } = parsed.put;
  if (inBody !== undefined && inBody !== nameInUrl)
    return refused(400, `name in URL "${nameInUrl}" differs from unit name in request body "${inBody}"`);
  try {
    return checkChange(parseUnitName(nameInUrl), parsed.put, readContent);
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    return refused(400, error.message);
  }
}

function checkChange(name: UnitName, put: PutUnit, readContent: UnitContentReader): CheckedPut {
  const desiredState = launchStates.find((state) => state === put.desiredState);
  if (put.desiredState !== undefined && desiredState === undefined)
    return refused(400, `invalid desired state "${put.desiredState}": expect ${launchStates.join(', ')}`);
  const read = readContent(name, put);
  if (read.kind === 'refused') return refused(read.status, read.why);
  return {
    kind: 'change',
    name,
    change: { desiredState, content: read.kind === 'content' ? read.content : undefined },
  };
}

function refused(status: 400 | 413, message: string): CheckedPut {
  return { kind: 'refused', verdict: { status, message } };
}
