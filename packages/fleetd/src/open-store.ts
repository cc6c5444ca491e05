import type { Store } from '@flotilla/registry';
import { createEtcdStore, type StoreTrouble } from '@flotilla/registry-etcd';
import type { Clock, Logger } from '@flotilla/runtime';
import type { Config } from './config.js';
import { findCertificateEnd, readEtcdTls } from './etcd-certificates.js';
import { describeTrouble } from './etcd-trouble.js';

export interface StoreFoundation {
  /** Where etcd is. */
  readonly servers: readonly string[];
  /** Why one of them may not be used now. */
  readonly findObjection?: (server: string) => Promise<string | undefined>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The store at `servers`, in the way that the configuration says. Nothing is connected yet. What keeps fleetd from it is
 * told in the log here, and nowhere else.
 */
export async function openStore(
  config: Config,
  { servers, findObjection, clock, log }: StoreFoundation,
): Promise<Store> {
  const { username, password, caFile, certFile, keyPrefix, requestTimeoutMs } = config.etcd;
  const tls = await readEtcdTls(config.etcd);
  const hasTls = servers.some((server) => server.startsWith('https://')) || caFile !== '' || certFile !== '';
  const hasFiles = caFile !== '' || certFile !== '';
  return createEtcdStore({
    hosts: servers,
    prefix: keyPrefix,
    requestTimeoutMs,
    clock,
    log,
    onTrouble(trouble) {
      if (trouble === undefined) log.info('etcd answers again');
      else void tell(trouble);
    },
    ...(findObjection === undefined ? {} : { findObjection }),
    ...(username === '' ? {} : { credentials: { user: username, password } }),
    ...(hasTls ? { tls } : {}),
    ...(hasFiles ? { renewTls: () => readEtcdTls(config.etcd) } : {}),
  });

  async function tell(trouble: StoreTrouble): Promise<void> {
    const endMs = trouble.kind === 'certificate-refused' ? await findCertificateEnd(certFile) : undefined;
    const { message, fields } = describeTrouble(trouble, config.etcd, endMs !== undefined && endMs < clock.now());
    log.error(message, fields);
  }
}
