import { listMachines } from '@flotilla/registry';
import { toAlarmEntity, toMachineEntity } from '@flotilla/schema';
import type { ApiDeps } from './deps.js';
import { answerPage } from './pages.js';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { failure } from './responses.js';

/** One look serves all who ask within this time. */
const lookMaxAgeMs = 5_000;

/** `GET machines`; the first page also says what is to be seen to at the store. */
export async function getMachines(routed: RoutedRequest): Promise<ApiResponse> {
  const alarms = routed.query.has('nextPageToken') ? [] : findAlarms(routed.deps);
  return await answerPage(routed, {
    field: 'machines',
    read: (request) => listMachines(routed.deps, request),
    toEntity: ({ id, record: { address, metadata, version, frozen } }) =>
      toMachineEntity({ id, address, metadata: new Map(Object.entries(metadata)), version, frozen }),
    readBeside: async () => {
      const entities = (await alarms).map(toAlarmEntity);
      return entities.length === 0 ? {} : { alarms: entities };
    },
  });
}

async function findAlarms({ inspector, log }: ApiDeps) {
  try {
    return (await inspector.inspect(lookMaxAgeMs)).alarms;
  } catch (error) {
    log.debug('the store was not looked at', { error });
    return [];
  }
}

/** `PATCH machines`: nothing sets metadata through the API yet, and saying so beats losing it. */
export function patchMachines(): ApiResponse {
  return failure(501, 'setting machine metadata is not supported yet');
}
