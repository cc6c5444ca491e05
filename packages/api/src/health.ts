import { toReadinessAnswer } from '@flotilla/schema';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { json } from './responses.js';

/** After this long the next one who asks has the store looked at again. Whoever supervises a thousand hosts asks often. */
const lookMaxAgeMs = 60_000;

/** `GET /healthz`: this process answers. */
export function getHealth({ deps }: RoutedRequest): ApiResponse {
  return json({ version: deps.version });
}

/**
 * `GET /readyz`: 200 when this machine is registered and reaches the store, else 503. Answered from memory; what it says
 * of the store is what the last look found.
 */
export function getReadiness({ deps }: RoutedRequest): ApiResponse {
  const { inspector, log } = deps;
  inspector.inspect(lookMaxAgeMs).catch((error: unknown) => log.debug('the store was not looked at', { error }));
  const isReady = deps.isReady();
  const { last } = inspector;
  const alarms = [...(last?.alarms ?? []), ...(deps.ownAlarms?.() ?? [])];
  return json(toReadinessAnswer({ isReady, status: deps.describeStatus?.(), ...last, alarms }), isReady ? 200 : 503);
}
