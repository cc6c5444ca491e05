import { join } from 'node:path';
import { type Agent, createAgent, createLeaseStorage } from '@flotilla/agent';
import { createDirectories, type Directories } from '@flotilla/directories';
import { createEngine, type Engine } from '@flotilla/engine';
import { version } from '@flotilla/errors';
import { Registration, type Store } from '@flotilla/registry';
import type { Clock, Logger } from '@flotilla/runtime';
import { SystemctlUnitManager, type UnitManager } from '@flotilla/systemd';
import type { Config } from './config.js';
import type { Figures } from './metrics/figures.js';
import type { Identity } from './prepare.js';
import { RoleSwitch } from './role-switch.js';
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
  readonly engine: RoleSwitch<Engine> | undefined;
  /** Goes with the agent, which is who verifies the store. */
  readonly directories: RoleSwitch<Directories> | undefined;
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
  const { config, onTaken } = foundation;
  const engine = config.hasEngine ? createEngineSwitch(foundation) : undefined;
  if (!config.hasAgent) return { engine, directories: undefined, agent: undefined, unitManager: undefined };
  const directories = createDirectorySwitch(foundation);
  const allow = (isAllowed: boolean) => {
    void engine?.set(isAllowed);
    void directories.set(isAllowed);
  };
  const onVerified = (freezeReason: string | undefined) => {
    allow(freezeReason === undefined);
    if (freezeReason === undefined) onTaken();
  };
  const onDoubt = () => allow(false);
  const unitManager = createUnitManager(foundation);
  return {
    engine,
    directories,
    agent: createHostAgent({ ...foundation, unitManager, onVerified, onDoubt }),
    unitManager,
  };
}

function createEngineSwitch({ config, identity, store, clock, log, figures }: RolesFoundation): RoleSwitch<Engine> {
  const { machine, address } = identity;
  const { leaderTtlSeconds, agentTtlSeconds, lossGraceMs } = config;
  const leader = { machine: machine.id, address, leaderTtlSeconds, agentTtlSeconds, lossGraceMs };
  return new RoleSwitch({
    create: () => createEngine({ store, clock, log, ...leader, onPass: figures.onEnginePass }),
    close: (engine) => engine.close({ resign: true }),
  });
}

function createDirectorySwitch({ config, identity, store, clock, log }: RolesFoundation): RoleSwitch<Directories> {
  const { unitDirectories: directories, stateDirectory } = config;
  const machine = identity.machine.id;
  return new RoleSwitch({
    create: () => createDirectories({ store, clock, log, machine, directories, stateDirectory }),
    close: (watched) => watched.close(),
  });
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
