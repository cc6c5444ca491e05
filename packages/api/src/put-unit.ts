import type { LaunchState } from '@flotilla/cluster';
import { assertNever } from '@flotilla/errors';
import { type PutUnitOutcome, putUnit, type UnitChange } from '@flotilla/registry';
import { type PutUnit, parsePutUnit } from '@flotilla/schema';
import { parseUnitName, UnitError, type UnitName } from '@flotilla/unit';
import type { ApiRequest, ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { empty, failure } from './responses.js';
import { readUnitContent } from './unit-content.js';

const launchStates: readonly LaunchState[] = ['inactive', 'loaded', 'launched'];

/** A step of the checks: what it found out, or the answer that ends them. */
type Checked<T> = { readonly found: T } | { readonly answer: ApiResponse };

/** `PUT units/<name>`: creates a unit, gives it new content, or asks for another state. */
export async function putUnitResource({ deps, request, name: nameInUrl }: RoutedRequest): Promise<ApiResponse> {
  const body = checkBody(request);
  if ('answer' in body) return body.answer;
  const name = checkName(nameInUrl, body.found.name);
  if ('answer' in name) return name.answer;
  const change = checkChange(name.found, body.found);
  if ('answer' in change) return change.answer;
  return answerOf(name.found, await putUnit(deps, name.found, change.found));
}

function checkBody({ headers, body }: ApiRequest): Checked<PutUnit> {
  const types = headers['content-type'] ?? [];
  const [type = ''] = types;
  if (types.length !== 1) return refused(415, `expected 1 Content-Type, got ${types.length}`);
  if (type.split(';')[0]?.trim() !== 'application/json')
    return refused(415, 'only acceptable Content-Type is application/json');
  const parsed = parsePutUnit(body);
  return parsed.kind === 'parsed' ? { found: parsed.put } : refused(400, `unable to decode body: ${parsed.why}`);
}

function checkName(inUrl: string, inBody: string | undefined): Checked<UnitName> {
  if (inBody !== undefined && inBody !== inUrl)
    return refused(400, `name in URL "${inUrl}" differs from unit name in request body "${inBody}"`);
  try {
    return { found: parseUnitName(inUrl) };
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    return refused(400, error.message);
  }
}

function checkChange(name: UnitName, put: PutUnit): Checked<UnitChange> {
  const desiredState = launchStates.find((state) => state === put.desiredState);
  if (put.desiredState !== undefined && desiredState === undefined)
    return refused(400, `invalid desired state "${put.desiredState}": expect ${launchStates.join(', ')}`);
  const read = readUnitContent(name, put);
  if (read.kind === 'refused') return refused(read.status, read.why);
  return { found: { desiredState, content: read.kind === 'content' ? read.content : undefined } };
}

function answerOf(name: UnitName, outcome: PutUnitOutcome): ApiResponse {
  switch (outcome) {
    case 'created':
    case 'replaced':
      return empty(201);
    case 'updated':
    case 'unchanged':
      return empty(204);
    case 'absent':
      return failure(409, 'unit does not exist and options field empty');
    case 'nothing-asked':
      return failure(409, 'must provide DesiredState to update existing unit');
    case 'template':
      return failure(400, `cannot activate template "${name}"`);
    case 'conflict':
      return failure(409, 'unit is being changed by others: try again');
    default:
      return assertNever(outcome);
  }
}

function refused(status: number, message: string): { readonly answer: ApiResponse } {
  return { answer: failure(status, message) };
}
