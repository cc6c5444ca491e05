import { listLosses, listMachines } from '@flotilla/registry';
import { toAlarmEntity, toLossEntity, toMachineEntity } from '@flotilla/schema';
import type { Alarm, ApiDeps } from './deps.js';
import { answerPage } from './pages.js';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';

/** One look serves all who ask within this time. */
const lookMaxAgeMs = 5_000;

/** `GET machines`; the first page also says what is to be seen to at the store and at this fleetd, and which machines are gone. */
export async function getMachines(routed: RoutedRequest): Promise<ApiResponse> {
  const isFirst = !routed.query.has('nextPageToken');
  const alarms = isFirst ? findAlarms(routed.deps) : [];
  return await answerPage(routed, {
    field: 'machines',
    read: (request) => listMachines(routed.deps, request),
    toEntity: ({ id, record: { address, version, frozen }, metadata, maxUnits }) =>
      toMachineEntity({ id, address, metadata, maxUnits, version, frozen }),
    readBeside: async () => {
      const losses = isFirst ? await listLosses(routed.deps) : [];
      const entities = (await alarms).map(toAlarmEntity);
      return {
        ...(entities.length > 0 && { alarms: entities }),
        ...(losses.length > 0 && {
          losses: losses.map(({ machine, record }) => toLossEntity({ machineId: machine, ...record })),
        }),
      };
    },
  });
}

async function findAlarms({ inspector, log, ownAlarms }: ApiDeps): Promise<readonly Alarm[]> {
  const own = ownAlarms?.() ?? [];
  try {
    return [...(await inspector.inspect(lookMaxAgeMs)).alarms, ...own];
  } catch (error) {
    log.debug('the store was not looked at', { error });
    return own;
  }
}
