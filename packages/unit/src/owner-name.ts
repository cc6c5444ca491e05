import { FleetError } from '@flotilla/errors';
import type { Branded } from './unit-model.js';

/** Whose units are: the name of a directory, or the one that `fleetctl apply` was given. Made by `parseOwnerName`. */
export type OwnerName = Branded<string, 'OwnerName'>;

/** Safe in a key, a path and a URL, and no dot file. */
const ownerNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export function isOwnerName(text: string): text is OwnerName {
  return ownerNamePattern.test(text);
}

/** @throws FleetError `bad-owner-name` */
export function parseOwnerName(text: string): OwnerName {
  if (isOwnerName(text)) return text;
  throw new FleetError('bad-owner-name', `not a name for an owner: ${JSON.stringify(text.slice(0, 80))}`, {
    hint: 'Up to 63 of A-Z, a-z, 0-9, dot, dash and underscore; the first one is a letter or a digit.',
  });
}
