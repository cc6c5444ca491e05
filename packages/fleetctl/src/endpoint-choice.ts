import { accessSync, constants } from 'node:fs';
import { FleetError } from '@flotilla/errors';
import type { Environment, GlobalFlags } from './global-flags.js';

/** Where root's fleetd listens. */
const systemSocket = '/var/run/fleet.sock';

/** Whether this process may connect to a socket; connecting takes the right to write. */
function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Where to send requests: what the line says, else the environment, else root's fleetd, or, where only that is within
 * reach, the user's own.
 *
 * @throws FleetError `usage`
 */
export function chooseEndpoint(
  { endpoint, user = false }: Pick<GlobalFlags, 'endpoint' | 'user'>,
  environment: Environment,
  isUsable: (path: string) => boolean = isWritable,
): string {
  if (user && endpoint !== undefined)
    throw new FleetError('usage', '--user and --endpoint both say where fleetd listens: give one of them');
  const own = userSocket(environment.XDG_RUNTIME_DIR);
  if (user && own === undefined)
    throw new FleetError('usage', '--user: XDG_RUNTIME_DIR is not set, so there is no user session here');
  if (user) return `unix://${own}`;
  const given = endpoint ?? environment.FLEETCTL_ENDPOINT ?? '';
  if (given !== '') return given;
  return own !== undefined && !isUsable(systemSocket) && isUsable(own) ? `unix://${own}` : `unix://${systemSocket}`;
}

/** Whether that is the user's own fleetd, whose units the user's own systemd runs. */
export function isOwnEndpoint(endpoint: string, environment: Environment): boolean {
  const own = userSocket(environment.XDG_RUNTIME_DIR);
  return own !== undefined && endpoint.split(',')[0] === `unix://${own}`;
}

function userSocket(runtimeDirectory: string | undefined): string | undefined {
  return runtimeDirectory?.startsWith('/') ? `${runtimeDirectory}/fleet.sock` : undefined;
}
