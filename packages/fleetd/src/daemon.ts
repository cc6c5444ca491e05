import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Agent, createAgent, createLeaseStorage } from '@flotilla/agent';
import { type Alarm, type ApiServer, createApi, serveApi } from '@flotilla/api';
import type { Machine } from '@flotilla/cluster';
import { createEngine, createExplainer } from '@flotilla/engine';
import { version } from '@flotilla/errors';
import { Registration, type Store, StoreInspector } from '@flotilla/registry';
import { type Clock, type Logger, sleep, systemClock } from '@flotilla/runtime';
import { SystemctlUnitManager, type UnitManager } from '@flotilla/systemd';
import { takeInheritedSockets } from './activation.js';
import type { Config } from './config.js';
import { EngineSwitch } from './engine-switch.js';
import { findServers } from './find-servers.js';
import { findPublicIp, identityPaths, readBootId, readInstance, readMachineId } from './identity.js';
import { fleetGroup } from './install/unit-files.js';
import { findGroupId, findListeners, openDoorAlarms } from './listeners.js';
import { openStore } from './open-store.js';
import { tameOtherSignals, untilAskedToEnd } from './signals.js';
import { meansToLeave } from './stop-job.js';
import { Supervisor, takeSupervision } from './supervision.js';

/** How long clients wait for an answer to the first attempt to register, rather than be told that there is none. */
const firstAnswerMs = 2_000;

/** Runs fleetd until it is asked to end. Rejects, before anything is started, if the machine or the options don't allow it. */
export async function runDaemon(config: Config, log: Logger): Promise<void> {
  const asked = untilAskedToEnd(log);
  tameOtherSignals(log);
  log.info(`Starting fleetd version ${version}`);
  const sockets = takeInheritedSockets(process.env, process.pid);
  const supervision = takeSupervision(process.env, process.pid);
  const clock = systemClock;
  const identity = await identify(config);
  let roles: Roles | undefined;
  const status = () => (roles === undefined ? 'Looking for an etcd' : describeStatus(roles));
  const supervisor = new Supervisor({ supervision, clock, log, status });
  // Who starts fleetd where it is told of no etcd does not have to wait until none has answered for long enough.
  if (!config.etcd.isTold) void supervisor.ready();
  const { onTaken, ...found } = await findServers(config, {
    clock,
    log,
    runtimeDirectory: runtimeDirectory(config.isUserManager),
    searchPath: process.env.PATH ?? '',
    asked,
  });
  log.info('Establishing etcd connectivity', { servers: found.servers });
  const store = await openStore(config, { ...found, clock, log });
  roles = createRoles({ config, identity, store, clock, log, onTaken });

  log.info('Starting server components');
  if (!config.hasEngine) log.info('Not starting engine; disable-engine is set');
  await roles.agent?.start();
  // With an agent, the engine waits for the agent's word that the store is the right one.
  if (roles.agent === undefined) void roles.engine?.set(true);
  const api = await serveWhenReady({ config, roles, store, sockets, clock, log, asked });
  if (api !== undefined) void supervisor.ready();

  await asked;
  const isLeaving = await meansToLeave(config.onStop, config.isUserManager);
  await supervisor.stopping(isLeaving ? config.leaveTimeoutMs : 0);
  await api?.close();
  await closeRoles(roles, isLeaving ? config.leaveTimeoutMs : undefined);
  await store.close();
  supervisor.close();
}

/** @param leaveTimeoutMs If the machine is to leave its cluster. */
async function closeRoles({ agent, engine, unitManager }: Roles, leaveTimeoutMs: number | undefined): Promise<void> {
  await engine?.close();
  if (leaveTimeoutMs === undefined) await agent?.close();
  else await agent?.leave({ timeoutMs: leaveTimeoutMs });
  unitManager?.close();
}

/** What `systemctl status` shows. */
function describeStatus({ agent }: Roles): string {
  const reason = agent?.findFreezeReason();
  if (reason !== undefined) return `Frozen: ${reason}`;
  const hold = agent?.findHoldReason();
  if (hold !== undefined) return `Not in its cluster: ${hold}`;
  return agent?.isReady() === false ? 'Not in contact with etcd; units run on' : 'In contact with its cluster';
}

interface Identity {
  readonly machine: Machine;
  readonly address: string;
  readonly boot: string;
  readonly instance: string;
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

interface Foundation {
  readonly config: Config;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Roles {
  readonly agent: Agent | undefined;
  readonly engine: EngineSwitch | undefined;
  /** The agent's. */
  readonly unitManager: UnitManager | undefined;
}

interface RolesFoundation extends Foundation {
  readonly identity: Identity;
  /** Called when the store is known to be the right one. */
  readonly onTaken: () => void;
}

function createRoles(foundation: RolesFoundation): Roles {
  const { config, identity, store, clock, log, onTaken } = foundation;
  const { machine, address } = identity;
  const { leaderTtlSeconds, agentTtlSeconds, lossGraceMs } = config;
  const leader = { machine: machine.id, address, leaderTtlSeconds, agentTtlSeconds, lossGraceMs };
  const create = () => createEngine({ store, clock, log, ...leader });
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

function createUnitManager({ config, clock, log }: Foundation): UnitManager {
  const { unitsDirectory, isUserManager: user } = config;
  const busSocket = user ? join(runtimeDirectory(user), 'bus') : '/run/dbus/system_bus_socket';
  return new SystemctlUnitManager({ unitsDirectory, user, busSocket, clock, log });
}

interface AgentFoundation extends Foundation {
  readonly identity: Identity;
  readonly unitManager: UnitManager;
  readonly onVerified: (freezeReason: string | undefined) => void;
  readonly onDoubt: () => void;
}

function createHostAgent({ config, identity, store, clock, log, ...told }: AgentFoundation): Agent {
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
    ...told,
    stateDirectory,
    startedDirectory: join(runtimeDirectory(isUserManager), 'fleet/started'),
  });
}

/** What is kept there is gone after a reboot. */
function runtimeDirectory(isUserManager: boolean): string {
  return isUserManager ? (process.env.XDG_RUNTIME_DIR ?? `/run/user/${process.getuid?.()}`) : '/run';
}

interface Serving extends Foundation {
  readonly roles: Roles;
  readonly sockets: readonly number[];
  readonly asked: Promise<NodeJS.Signals>;
}

/** `undefined`: fleetd was asked to end before. Who waits at its sockets is for the next process to answer. */
async function serveWhenReady(serving: Serving): Promise<ApiServer | undefined> {
  const { config, roles, store, sockets, clock, log, asked } = serving;
  const { agent } = roles;
  // A machine without an agent is not registered; its requests find out about the store by themselves.
  const isReady = () => agent === undefined || agent.isReady();
  const listeners = findListeners(config, {
    sockets,
    runtimeDirectory: runtimeDirectory(config.isUserManager),
    groupId: findGroupId(await readFile('/etc/group', 'utf8').catch(() => ''), fleetGroup),
  });
  let alarms: readonly Alarm[] = [];
  if (listeners.length === 0) log.warn('no sockets were passed by systemd, and listen is empty; there is no API here');
  const answer = agent === undefined ? undefined : sleep(clock, firstAnswerMs, agent.firstAttempt);
  if ((await Promise.race([answer, asked])) !== undefined) return undefined;
  const api = await serveApi({
    handle: createApi({
      store,
      log,
      version,
      pageLimit: config.tokenLimit,
      hostNames: [hostname()],
      isReady,
      inspector: new StoreInspector({ store, clock }),
      ownAlarms: () => alarms,
      explain: createExplainer({ store, log, findEngine: () => roles.engine?.engine }),
    }),
    listeners,
    clock,
    log,
  });
  for (const { address } of api.listening) log.info('serving the API', { address });
  alarms = openDoorAlarms(api.listening);
  for (const { message } of alarms) log.warn(message);
  return api;
}
