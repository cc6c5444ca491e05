import { hostname } from 'node:os';
import { type Alarm, createApi, type Handle, type HandleSwitch } from '@flotilla/api';
import type { DirectoryDescription } from '@flotilla/directories';
import { createExplainer } from '@flotilla/engine';
import { version } from '@flotilla/errors';
import { observeStore, type Store, StoreInspector } from '@flotilla/registry';
import { type Clock, type Logger, sleep } from '@flotilla/runtime';
import { absentStore } from './absent-store.js';
import { createRoles, type Roles } from './create-roles.js';
import { directoryAlarms } from './directory-alarms.js';
import { findServers } from './find-servers.js';
import { formatDump } from './format-dump.js';
import type { Figures, Standing } from './metrics/figures.js';
import { openStore } from './open-store.js';
import type { Prepared } from './prepare.js';
import { runtimeDirectory } from './runtime-directory.js';

/** How long clients wait for an answer to the first attempt to register, rather than be told that there is none. */
export const firstAnswerMs = 2_000;

const lookingForStore = 'Looking for an etcd';

export interface ComponentsOptions extends Prepared {
  readonly clock: Clock;
  readonly log: Logger;
  /** Gets what answers API requests. */
  readonly front: HandleSwitch;
  /** Counts what they do. */
  readonly figures: Figures;
  /** What an operator is to know of the API's sockets. */
  readonly alarms: () => readonly Alarm[];
}

/** All that is made of one configuration: the store, the agent, the engine, and what answers API requests. */
export class Components {
  readonly #options: ComponentsOptions;
  readonly #interrupted = new AbortController();
  #started: Promise<void> = Promise.resolve();
  #store: Store | undefined;
  #roles: Roles | undefined;
  #isClosing = false;
  /** Whether requests were answered when the end began. */
  #lastReadiness: boolean | undefined;

  constructor(options: ComponentsOptions) {
    this.#options = options;
    options.figures.setStanding(() => this.#describeStanding());
  }

  /**
   * Resolves when everything runs and the first attempt to register has an answer, or is not waited for any longer.
   * Rejects if the configuration can't be worked with.
   */
  start(): Promise<void> {
    this.#started = this.#start();
    return this.#started;
  }

  /** Ends all but the store, and leaves the machine in its cluster. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#interrupt();
    this.#lastReadiness = this.#isReady();
    await this.#roles?.directories?.close();
    await this.#roles?.engine?.close();
    await this.#roles?.agent?.close();
    this.#roles?.unitManager?.close();
  }

  /** Ends all but the store, and takes the machine out of its cluster. */
  async leave(timeoutMs: number): Promise<void> {
    await this.#interrupt();
    const { directories, engine, agent, unitManager } = this.#roles ?? {};
    await directories?.close();
    await engine?.close();
    if (agent !== undefined) await this.#firstAnswer(agent.firstAttempt);
    await agent?.leave({ timeoutMs });
    unitManager?.close();
  }

  async closeStore(): Promise<void> {
    await this.#store?.close();
  }

  /** What `systemctl status` shows. */
  describeStatus(): string {
    if (this.#roles === undefined) return lookingForStore;
    const { agent } = this.#roles;
    const reason = agent?.findFreezeReason();
    if (reason !== undefined) return `Frozen: ${reason}`;
    const hold = agent?.findHoldReason();
    if (hold !== undefined) return `Not in its cluster: ${hold}`;
    return agent?.isReady() === false ? 'Not in contact with etcd; units run on' : 'In contact with its cluster';
  }

  /** One line of JSON for who looks for a mistake. */
  dump(): string {
    const agent = this.#roles?.agent?.describe();
    return formatDump({ machine: this.#options.identity.machine.id, agent, directories: this.#directories() });
  }

  async #start(): Promise<void> {
    const { config, clock, log, front, figures } = this.#options;
    const { onTaken, ...found } = await findServers(config, {
      clock,
      log,
      runtimeDirectory: runtimeDirectory(config.isUserManager),
      searchPath: process.env.PATH ?? '',
      signal: this.#interrupted.signal,
    });
    if (this.#isClosing) return;
    log.info('Establishing etcd connectivity', { servers: found.servers });
    const opened = await openStore(config, { ...found, clock, log });
    const store = observeStore({ store: opened, clock, observer: figures.onStore });
    this.#store = store;
    if (this.#isClosing) return;
    const roles = createRoles({ ...this.#options, store, onTaken });
    this.#roles = roles;
    log.info('Starting server components');
    if (!config.hasEngine) log.info('Not starting engine; disable-engine is set');
    if (!config.hasAgent && config.unitDirectories.length > 0)
      log.info('Not watching directories; disable-agent is set', { directories: config.unitDirectories });
    await roles.agent?.start();
    // With an agent, the engine waits for the agent's word that the store is the right one.
    if (roles.agent === undefined) void roles.engine?.set(true);
    front.hold(firstAnswerMs);
    void front.exchange(createApi(this.#apiDeps(store, roles)));
    if (roles.agent !== undefined) await this.#firstAnswer(roles.agent.firstAttempt, this.#interrupted.signal);
    // Who waits may as well wait for those that come next.
    if (!this.#isClosing) front.release();
  }

  #apiDeps(store: Store, { engine }: Roles) {
    const { clock, log, config, alarms, figures } = this.#options;
    return {
      ...apiIdentity(),
      store,
      clock,
      log,
      pageLimit: config.tokenLimit,
      isReady: () => this.#isReady(),
      describeStatus: () => this.describeStatus(),
      inspector: new StoreInspector({ store, clock }),
      ownAlarms: () => [...alarms(), ...directoryAlarms(this.#directories())],
      metrics: figures,
      explain: createExplainer({ store, log, findEngine: () => engine?.current }),
    };
  }

  #describeStanding(): Standing {
    const { agent, engine } = this.#roles ?? {};
    return {
      leadingSinceMs: engine?.current?.leadingSinceMs,
      hasContact: agent?.isReady() ?? false,
      isFrozen: agent?.findFreezeReason() !== undefined,
      units: countByState(agent?.describe().rows.values() ?? []),
      directories: this.#directories(),
    };
  }

  #directories(): readonly DirectoryDescription[] {
    return this.#roles?.directories?.current?.describe() ?? [];
  }

  /** A machine without an agent is not registered; its requests find out about the store by themselves. */
  #isReady(): boolean {
    return this.#lastReadiness ?? this.#roles?.agent?.isReady() ?? this.#roles !== undefined;
  }

  async #interrupt(): Promise<void> {
    this.#interrupted.abort();
    // Whoever started these hears of it.
    await this.#started.catch(() => undefined);
  }

  async #firstAnswer(answer: AbortSignal, interrupted?: AbortSignal): Promise<void> {
    const end = new AbortController();
    const over = () => end.abort();
    for (const signal of [answer, interrupted]) {
      if (signal?.aborted === true) over();
      signal?.addEventListener('abort', over, { signal: end.signal });
    }
    await sleep(this.#options.clock, firstAnswerMs, end.signal);
    over();
  }
}

interface AbsentApi {
  readonly clock: Clock;
  readonly log: Logger;
  readonly figures: Figures;
}

/** What answers API requests while there is no store. */
export function createAbsentApi(told: AbsentApi): Handle {
  const inspector = new StoreInspector({ store: absentStore, clock: told.clock });
  return createApi({
    ...apiIdentity(),
    clock: told.clock,
    log: told.log,
    metrics: told.figures,
    store: absentStore,
    inspector,
    pageLimit: 1,
    isReady: () => false,
    describeStatus: () => lookingForStore,
  });
}

function apiIdentity() {
  return { version, hostNames: [hostname()] };
}

function countByState(rows: Iterable<{ readonly active: string }>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { active } of rows) counts.set(active, (counts.get(active) ?? 0) + 1);
  return counts;
}
