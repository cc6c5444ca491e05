import { type Client, createClient, type Exchange, parseEndpoint, type TlsMaterial } from '@flotilla/client';
import { FleetError } from '@flotilla/errors';
import { chooseEndpoint } from './endpoint-choice.js';
import { UsageError } from './errors.js';
import type { Environment, GlobalFlags } from './global-flags.js';
import type { Screen } from './terminal.js';

/** fleet's words before whatever keeps a command from having a client; scripts know errors of this kind by them. */
const prefix = 'Unable to initialize client: ';

/**
 * The client that the global flags ask for. Nothing is connected yet.
 *
 * @throws FleetError `usage`, `bad-endpoint`, `unreadable-file`, `bad-certificate`
 */
export async function openClient(flags: GlobalFlags, environment: Environment, screen: Screen): Promise<Client> {
  try {
    return await createClientFor(flags, environment, screen);
  } catch (error) {
    if (!(error instanceof FleetError)) throw error;
    const { code, message, hint } = error;
    throw new FleetError(code, `${prefix}${message}`, { cause: error, ...(hint !== undefined && { hint }) });
  }
}

async function createClientFor(flags: GlobalFlags, environment: Environment, screen: Screen): Promise<Client> {
  checkDriver(flags);
  checkTunnel(flags);
  const [endpoint = '', ...others] = chooseEndpoint(flags, environment).split(',');
  if (others.length > 0) screen.err(`WARNING: only the first endpoint is used: ${endpoint}`);
  const tls = parseEndpoint(endpoint).kind === 'tls' ? await readTlsFiles(flags, environment) : undefined;
  if (tls === undefined && endpoint.startsWith('http:') && hasTlsFiles(flags))
    screen.err(`WARNING: ${endpoint} is not encrypted: --ca-file, --cert-file and --key-file are for https://`);
  const onExchange = ({ method, path, status }: Exchange) => screen.err(`debug: ${method} ${path} ${status}`);
  return createClient({
    endpoint,
    timeoutMs: flags.requestTimeout,
    ...(tls !== undefined && { tls }),
    ...(flags.debug === true && { onExchange }),
  });
}

function hasTlsFiles({ caFile = '', certFile = '', keyFile = '' }: GlobalFlags): boolean {
  return [caFile, certFile, keyFile].some((file) => file !== '');
}

/** Loaded on use: few endpoints have TLS. */
async function readTlsFiles(flags: GlobalFlags, environment: Environment): Promise<TlsMaterial> {
  const { readTlsMaterial } = await import('./tls-files.js');
  return readTlsMaterial(flags, environment);
}

function checkDriver({ driver = 'API' }: GlobalFlags): void {
  if (driver.toLowerCase() === 'api') return;
  if (driver !== 'etcd') throw new UsageError(`unrecognized driver "${driver}"`, 'There is one: API.');
  throw new UsageError(
    'there is no driver "etcd": fleetctl speaks to a fleetd, and only fleetd to etcd',
    'Leave --driver and FLEETCTL_DRIVER out, and name a fleetd by --endpoint: unix:///var/run/fleet.sock on its host.',
  );
}

/** What would go through the tunnel must not go elsewhere instead, to another cluster perhaps. */
function checkTunnel({ tunnel = '', sshUsername = 'core' }: GlobalFlags): void {
  if (tunnel === '') return;
  const [, host = tunnel, port = ''] = /^(\[.+\]|[^:]+):(\d+)$/.exec(tunnel) ?? [];
  const target = `${sshUsername}@${host.replace(/^\[(.*)\]$/, '$1')}`;
  throw new UsageError(
    `a tunnel through ${tunnel} is more than this version can do (--tunnel, FLEETCTL_TUNNEL)`,
    `Until then, take the socket along yourself:\n` +
      `  ssh -fN ${port === '' ? '' : `-p ${port} `}-L /tmp/fleet.sock:/run/fleet.sock ${target}\n` +
      `  fleetctl --tunnel= --endpoint unix:///tmp/fleet.sock list-units`,
  );
}
