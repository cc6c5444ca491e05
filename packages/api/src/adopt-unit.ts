import { assertNever } from '@flotilla/errors';
import { adoptUnit } from '@flotilla/registry';
import { type AdoptUnitAnswer, parseAdoptUnit } from '@flotilla/schema';
import { isUnitName } from '@flotilla/unit';
import { findWrongType } from './json-type.js';
import { checkOwner } from './owner.js';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { failure, json } from './responses.js';
import { answerOf, noUnit, rivals } from './verdict.js';

/** `POST units/<name>/adopt`: gives a unit to an owner, or to those who use the API. The unit goes on as it is. */
export async function postAdopt({ deps, request, name }: RoutedRequest): Promise<ApiResponse> {
  const wrongType = findWrongType(request);
  if (wrongType !== undefined) return wrongType;
  const body = parseAdoptUnit(request.body);
  if (body.kind === 'refused') return failure(400, `unable to decode body: ${body.why}`);
  const checked = checkOwner(body.request.owner);
  if (checked.kind === 'refused') return failure(400, checked.why);
  if (!isUnitName(name)) return answerOf(noUnit);
  const { owner } = checked;
  const outcome = await adoptUnit(deps, name, owner);
  switch (outcome.kind) {
    case 'absent':
      return answerOf(noUnit);
    case 'rivals':
      return answerOf(rivals);
    case 'adopted':
      deps.log.info('a unit has another owner', { unit: name, owner, former: outcome.former });
      return json(toAnswer(outcome.former, owner));
    case 'same':
      return json(toAnswer(outcome.former, owner));
    default:
      return assertNever(outcome);
  }
}

function toAnswer(former: string | undefined, owner: string | undefined): AdoptUnitAnswer {
  return { ...(former === undefined ? {} : { former }), ...(owner === undefined ? {} : { owner }) };
}
