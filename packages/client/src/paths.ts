import type { Request } from './transport.js';

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

/** The path that says whose a unit is, in API v2. */
export function adoptPath(name: string): string {
  return `/fleet/v2/units/${encodeURIComponent(name)}/adopt`;
}

/** The path of all directories, in API v2. */
export const directoriesPath = '/fleet/v2/dirs';

/** The path of a directory in API v2, or of an order about it. */
export function directoryPath(name: string, order?: 'confirm'): string {
  return `${directoriesPath}/${encodeURIComponent(name)}${order === undefined ? '' : `/${order}`}`;
}

/** An order to one machine, or about it, in API v2. */
export function machineRequest(id: string, order: string, body: object = {}): Request {
  return { method: 'POST', path: `/fleet/v2/machines/${encodeURIComponent(id)}/${order}`, body: JSON.stringify(body) };
}
