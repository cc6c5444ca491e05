import { findUnitState, type KnownUnitState, listUnitStates } from '@flotilla/registry';
import { toUnitStateEntity, type UnitStateEntity } from '@flotilla/schema';
import { isUnitName } from '@flotilla/unit';
import { findMachineId } from './machine-id.js';
import { answerPage } from './pages.js';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { failure, json } from './responses.js';

/** `GET state`, with the filters `unitName` and `machineID`. */
export function getUnitStates(routed: RoutedRequest): Promise<ApiResponse> {
  const { deps, query } = routed;
  // Empty is the same as absent.
  const name = query.get('unitName') || undefined;
  const machine = query.get('machineID') || undefined;
  const machineId = machine === undefined ? undefined : findMachineId(machine);
  const isHopeless = (name !== undefined && !isUnitName(name)) || (machine !== undefined && machineId === undefined);
  return answerPage(routed, {
    field: 'states',
    read: async (request) => {
      if (isHopeless) return { entries: [], next: undefined };
      return listUnitStates(deps, { ...request, name, machine: machineId });
    },
    toEntity: describe,
  });
}

/** `GET state/<name>` */
export async function getUnitState({ deps, name }: RoutedRequest): Promise<ApiResponse> {
  const state = isUnitName(name) ? await findUnitState(deps, name) : undefined;
  return state === undefined ? failure(404, 'unit state does not exist') : json(describe(state));
}

function describe({ name, machine, record }: KnownUnitState): UnitStateEntity {
  const { load, active, sub, hash, since, order, error, waitsFor } = record;
  return toUnitStateEntity({ name, machineId: machine, hash, load, active, sub, since, order, error, waitsFor });
}
