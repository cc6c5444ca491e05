import type { Machine } from '@flotilla/cluster';
import type { Clock, Logger } from '@flotilla/runtime';
import type { Config } from './config.js';
import { findPublicIp, identityPaths, readBootId, readInstance, readMachineId } from './identity.js';
import { openStore } from './open-store.js';

/** A machine as its configuration has it. */
export interface Identity {
  readonly machine: Machine;
  readonly address: string;
  readonly boot: string;
  readonly instance: string;
}

/** A configuration that can be worked with, as far as that can be told beforehand. */
export interface Prepared {
  readonly config: Config;
  readonly identity: Identity;
}

/**
 * Sees whether this machine can be what the configuration says, and touches nothing that another one uses.
 *
 * @throws FatalError, ConfigError saying what stands against it.
 */
export async function prepare(config: Config, told: { readonly clock: Clock; readonly log: Logger }) {
  const identity = await identify(config);
  // Nothing is connected by that; certificates are read, and servers looked at.
  const store = await openStore(config, { servers: config.etcd.servers, ...told });
  await store.close();
  return { config, identity } satisfies Prepared;
}

async function identify(config: Config): Promise<Identity> {
  const id = await readMachineId(identityPaths.machineId);
  return {
    machine: { id, metadata: config.metadata, isClosed: false, maxUnits: config.maxUnits },
    address: config.publicIp === '' ? await findPublicIp(identityPaths.routes) : config.publicIp,
    boot: await readBootId(identityPaths.bootId),
    instance: await readInstance(config.stateDirectory),
  };
}
