import { join } from 'node:path';
import { type Agent, createAgent, createLeaseStorage } from '@flotilla/agent';
import { createEngine } from '@flotilla/engine';
import { version } from '@flotilla/errors';
import { Registration, type Store } from '@flotilla/registry';
import type { Clock, Logger } from '@flotilla/runtime';
import { SystemctlUnitManager, type UnitManager } from '@flotilla/systemd';
import type { Config } from './config.js';
import { EngineSwitch } from './engine-switch.js';
import type { Figures } from './metrics/figures.js';
import type { Identity } from './prepare.js';
import { runtimeDirectory } from './runtime-directory.js';

interface Foundation {
  readonly config: Config;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** Counts what they do. */
  readonly figures: Figures;
}

/** What fleetd does on its host. */
export interface Roles {
  readonly agent: Agent | undefined;
  readonly engine: EngineSwitch | undefined;
  /** The agent's. */
  readonly unitManager: UnitManager | undefined;
}

export interface RolesFoundation extends Foundation {
  readonly identity: Identity;
  /** Called when the store is known to be the right one. */
  readonly onTaken: () => void;
}

/** Makes them; nothing is started yet. */
export function createRoles(foundation: RolesFoundation): Roles {
  const { config, identity, store, clock, log, figures, onTaken } = foundation;
  const { machine, address } = identity;
  const { leaderTtlSeconds, agentTtlSeconds, lossGraceMs } = config;
  const leader = { machine: machine.id, address, leaderTtlSeconds, agentTtlSeconds, lossGraceMs };
  const create = () => createEngine({ store, clock, log, ...leader, onPass: figures.onEnginePass });
  const engine = config.hasEngine ? new EngineSwitch(create) : undefined;
  const onVerified = (freezeReason: string | undefined) => {
    void engine?.set(freezeReason === undefined);
    if (freezeReason === undefined) onTaken();
  };
  const onDoubt = () => void engine?.set(false);
  if (!config.hasAgent) return { engine, agent: undefined, unitManager: undefined };
  const unitManager = createUnitManager(foundation);
  return { engine, agent: createHostAgent({ ...foundation, unitManager, onVerified, onDoubt }), unitManager };
}

function createUnitManager({ config, clock, log, figures }: Foundation): UnitManager {
  const { unitsDirectory, isUserManager: user } = config;
  const busSocket = user ? join(runtimeDirectory(user), 'bus') : '/run/dbus/system_bus_socket';
  return new SystemctlUnitManager({ unitsDirectory, user, busSocket, clock, log, onCall: figures.onSystemdCall });
}

interface AgentFoundation extends Foundation {
  readonly identity: Identity;
  readonly unitManager: UnitManager;
  readonly onVerified: (freezeReason: string | undefined) => void;
  readonly onDoubt: () => void;
}

function createHostAgent({ config, identity, store, clock, log, figures, ...told }: AgentFoundation): Agent {
  const { machine, address, boot, instance } = identity;
  const { stateDirectory, isUserManager } = config;
  const registration = new Registration({
    store,
    clock,
    log,
    machine: machine.id,
    record: {
      address,
      metadata: Object.fromEntries(machine.metadata),
      ...(machine.maxUnits !== undefined && { maxUnits: machine.maxUnits }),
      version,
      instance,
      boot,
    },
    ttlSeconds: config.agentTtlSeconds,
    storage: createLeaseStorage(stateDirectory),
  });
  return createAgent({
    store,
    clock,
    log,
    machine,
    registration,
    observer: figures,
    ...told,
    stateDirectory,
    startedDirectory: join(runtimeDirectory(isUserManager), 'fleet/started'),
  });
}
