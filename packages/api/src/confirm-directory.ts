import { orderConfirm } from '@flotilla/registry';
import type { ConfirmDirectoryAnswer } from '@flotilla/schema';
import { isOwnerName } from '@flotilla/unit';
import { noDirectory } from './directories.js';
import { findWrongType } from './json-type.js';
import { findWords } from './no-words.js';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { failure, json } from './responses.js';

/**
 * `POST dirs/<name>/confirm`: the removals that hosts hold back are meant. Answers before they are made; what is held back
 * for another reason, or of other units, by the time that a host hears of it is not.
 */
export async function postConfirm({ deps, request, name }: RoutedRequest): Promise<ApiResponse> {
  const refusal = findWrongType(request) ?? findWords(request, 'the directory');
  if (refusal !== undefined) return refusal;
  if (!isOwnerName(name)) return noDirectory();
  const outcome = await orderConfirm(deps, name);
  if (outcome.kind !== 'ordered')
    return outcome.kind === 'absent' ? noDirectory() : failure(409, 'nothing is held back');
  const { hosts } = outcome;
  deps.log.warn('removals that are held back are confirmed', { directory: name, hosts });
  const answer: ConfirmDirectoryAnswer = { hosts };
  return json(answer);
}
