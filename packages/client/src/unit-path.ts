/** API v1 lives below this path. */
export const apiRoot = '/fleet/v1';

/** The path of one unit in API v1. */
export function unitPath(name: string): string {
  return `${apiRoot}/units/${encodeURIComponent(name)}`;
}

/** The path that a unit is restarted by, in API v2. */
export function restartPath(name: string): string {
  return `/fleet/v2/units/${encodeURIComponent(name)}/restart`;
}

/** The path of one unit's explanation, in API v2. */
export function explainPath(name: string): string {
  return `/fleet/v2/units/${encodeURIComponent(name)}/explain`;
}
