import { listMachines } from '@flotilla/registry';
import { toMachineEntity } from '@flotilla/schema';
import { answerPage } from './pages.js';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { failure } from './responses.js';

/** `GET machines` */
export function getMachines(routed: RoutedRequest): Promise<ApiResponse> {
  return answerPage(routed, {
    field: 'machines',
    read: (request) => listMachines(routed.deps, request),
    toEntity: ({ id, record: { address, metadata, version, frozen } }) =>
      toMachineEntity({ id, address, metadata: new Map(Object.entries(metadata)), version, frozen }),
  });
}

/** `PATCH machines`: nothing sets metadata through the API yet, and saying so beats losing it. */
export function patchMachines(): ApiResponse {
  return failure(501, 'setting machine metadata is not supported yet');
}
