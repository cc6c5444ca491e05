import { FleetError } from '@flotilla/errors';
import { forgetClaims } from '@flotilla/registry';
import { type ForgetDirectoriesAnswer, parseForgetDirectories } from '@flotilla/schema';
import { findWrongType } from './json-type.js';
import { findMachineId } from './machine-id.js';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { failure, json } from './responses.js';

/** `POST machines/<id>/forget-dirs`: what a machine that does not come back wants of directories counts no longer. */
export async function postForgetDirectories({ deps, request, name }: RoutedRequest): Promise<ApiResponse> {
  const wrongType = findWrongType(request);
  if (wrongType !== undefined) return wrongType;
  const body = parseForgetDirectories(request.body);
  if (body.kind === 'refused') return failure(400, `unable to decode body: ${body.why}`);
  const isDryRun = body.request.dryRun === true;
  const machine = findMachineId(name);
  if (machine === undefined) return nothingOfIt();
  const outcome = await forgetClaims(deps, machine, { isDryRun }).catch(contended);
  if (outcome instanceof FleetError) return failure(409, outcome.message);
  if (outcome.kind !== 'forgotten') return outcome.kind === 'none' ? nothingOfIt() : failure(409, itIsThere);
  const directories = outcome.directories.map(({ owner, destroyed, kept }) => ({ destroyed, kept, name: owner }));
  if (!isDryRun) deps.log.warn('the directories of a machine are forgotten', { machine, directories });
  const answer: ForgetDirectoriesAnswer = { directories };
  return json(answer);
}

function contended(error: unknown): FleetError {
  if (error instanceof FleetError && error.code === 'claims-contended') return error;
  throw error;
}

const itIsThere = 'machine is in the cluster: what its directories want is for their files to say';

function nothingOfIt(): ApiResponse {
  return failure(404, 'no directory has anything of such a machine');
}
