import { listMachines } from '@flotilla/registry';
import { toAlarmEntity, toMachineEntity } from '@flotilla/schema';
import type { ApiDeps } from './deps.js';
import { answerPage } from './pages.js';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';

/** One look serves all who ask within this time. */
const lookMaxAgeMs = 5_000;

/** `GET machines`; the first page also says what is to be seen to at the store. */
export async function getMachines(routed: RoutedRequest): Promise<ApiResponse> {
  const alarms = routed.query.has('nextPageToken') ? [] : findAlarms(routed.deps);
  return await answerPage(routed, {
    field: 'machines',
    read: (request) => listMachines(routed.deps, request),
    toEntity: ({ id, record: { address, version, frozen }, metadata, maxUnits }) =>
      toMachineEntity({ id, address, metadata, maxUnits, version, frozen }),
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
