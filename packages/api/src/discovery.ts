import { type DiscoverySchema, discoverySchemas } from './discovery-schemas.js';
import type { ApiResponse } from './request.js';

/** @see https://developers.google.com/discovery/v1/reference/apis */
export interface DiscoveryMethod {
  readonly id: string;
  readonly description: string;
  readonly httpMethod: string;
  /** Below `servicePath`. */
  readonly path: string;
  readonly parameters?: Readonly<Record<string, DiscoverySchema & { readonly location: 'path' | 'query' }>>;
  readonly parameterOrder?: readonly string[];
  readonly request?: { readonly $ref: string };
  readonly response?: { readonly $ref: string };
}

const token = { type: 'string', location: 'query', description: 'Of which page; the first one without' } as const;
const nameInPath = { type: 'string', location: 'path', required: true, description: 'The unit’s name' } as const;

const machines: Readonly<Record<string, DiscoveryMethod>> = {
  List: {
    id: 'fleet.Machine.List',
    description: 'All machines of the cluster that are alive, by ID, a page of them.',
    httpMethod: 'GET',
    path: 'machines',
    parameters: { nextPageToken: token },
    response: { $ref: 'MachinePage' },
  },
  Patch: {
    id: 'fleet.Machine.Patch',
    description: 'Sets and removes metadata of machines, whether they are there or not.',
    httpMethod: 'PATCH',
    path: 'machines',
    request: { $ref: 'MachinePatch' },
  },
};

const units: Readonly<Record<string, DiscoveryMethod>> = {
  List: {
    id: 'fleet.Unit.List',
    description: 'All units, by name, a page of them.',
    httpMethod: 'GET',
    path: 'units',
    parameters: { nextPageToken: token },
    response: { $ref: 'UnitPage' },
  },
  Get: {
    id: 'fleet.Unit.Get',
    description: 'One unit.',
    httpMethod: 'GET',
    path: 'units/{unitName}',
    parameters: { unitName: nameInPath },
    parameterOrder: ['unitName'],
    response: { $ref: 'Unit' },
  },
  Delete: {
    id: 'fleet.Unit.Delete',
    description: 'Destroys a unit: it is stopped, and forgotten.',
    httpMethod: 'DELETE',
    path: 'units/{unitName}',
    parameters: { unitName: nameInPath },
    parameterOrder: ['unitName'],
  },
  Set: {
    id: 'fleet.Unit.Set',
    description: 'Creates a unit, gives it new content, or asks for another state.',
    httpMethod: 'PUT',
    path: 'units/{unitName}',
    parameters: { unitName: nameInPath },
    parameterOrder: ['unitName'],
    request: { $ref: 'Unit' },
  },
};

const unitState: Readonly<Record<string, DiscoveryMethod>> = {
  Get: {
    id: 'fleet.UnitState.Get',
    description: 'How systemd has a unit, on the machine where it is.',
    httpMethod: 'GET',
    path: 'state/{unitName}',
    parameters: { unitName: nameInPath },
    parameterOrder: ['unitName'],
    response: { $ref: 'UnitState' },
  },
  List: {
    id: 'fleet.UnitState.List',
    description: 'How systemd has all units, by name and machine, a page of them.',
    httpMethod: 'GET',
    path: 'state',
    parameters: {
      nextPageToken: token,
      unitName: { type: 'string', location: 'query', description: 'Of this unit only' },
      machineID: { type: 'string', location: 'query', description: 'On this machine only' },
    },
    response: { $ref: 'UnitStatePage' },
  },
};

/** What generators of clients read; in Google's form, with the words of fleet's. */
export const discoveryDocument = {
  kind: 'discovery#restDescription',
  discoveryVersion: 'v1',
  id: 'fleet:v1',
  name: 'schema',
  version: 'v1',
  title: 'fleet API',
  description: 'Units of systemd, on a cluster of machines.',
  protocol: 'rest',
  // fleet's stand-in for an address that only the client knows.
  rootUrl: '$ENDPOINT/',
  servicePath: 'fleet/v1/',
  basePath: '/fleet/v1/',
  baseUrl: '$ENDPOINT/fleet/v1/',
  batchPath: 'batch',
  parameters: {},
  auth: {},
  labels: [],
  icons: {},
  schemas: {
    ...Object.fromEntries(
      Object.entries(discoverySchemas).map(([id, properties]) => [id, { id, type: 'object', properties }]),
    ),
    MachinePatch: { id: 'MachinePatch', type: 'array', items: { $ref: 'MachinePatchOperation' } },
  },
  resources: {
    Machines: { methods: machines },
    Units: { methods: units },
    UnitState: { methods: unitState },
  },
} as const;

const body = JSON.stringify(discoveryDocument, undefined, 2);

/** `GET discovery` */
export function getDiscovery(): ApiResponse {
  return { status: 200, headers: { 'Content-Type': 'application/json' }, body };
}
