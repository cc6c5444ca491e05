import { FleetError } from '@flotilla/errors';
import { type OwnerName, parseOwnerName, type UnitName } from '@flotilla/unit';

/** What a client says about an owner. `why` is a sentence for it. */
export type CheckedOwner =
  | { readonly kind: 'owner'; readonly owner: OwnerName | undefined }
  | { readonly kind: 'refused'; readonly why: string };

/** Reads the name of an owner; without one, those who use the API are meant. */
export function checkOwner(text: string | undefined): CheckedOwner {
  try {
    return { kind: 'owner', owner: text === undefined ? undefined : parseOwnerName(text) };
  } catch (error) {
    if (!(error instanceof FleetError && error.code === 'bad-owner-name')) throw error;
    return { kind: 'refused', why: error.hint === undefined ? error.message : `${error.message} (${error.hint})` };
  }
}

/** Why a unit is not changed: it is the `owner`'s, and who asks is somebody else, the API's user or the owner `by`. */
export function explainOwned(name: UnitName, owner: OwnerName | undefined, by?: OwnerName): string {
  const adopt = `fleetctl adopt ${by === undefined ? '' : `--owner ${by} `}${name}`;
  return owner === undefined
    ? `unit belongs to no directory: ${adopt} gives it to one`
    : `unit is owned by the directory "${owner}": change or remove its file there, or run ${adopt} first`;
}
