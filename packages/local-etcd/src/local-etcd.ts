import { readFile, rm } from 'node:fs/promises';
import { type Clock, jittered, type Logger, sleep } from '@flotilla/runtime';
import { type RunCommand, runCommand } from '@flotilla/systemd';
import { bringUp } from './bring-up.js';
import { type Decision, decide, explainRefusal, explainStranger, type Facts, type Listener } from './decide.js';
import {
  exists,
  findEnabledEtcd,
  findListeners,
  findProgram,
  findRememberedStore,
  isSocketPathShort,
} from './look-around.js';
import { type LocalEtcdPlaces, localEtcdPlaces, localEtcdUnit } from './places.js';
import { writeDurably } from './write-durably.js';

export interface LocalEtcdOptions {
  /** Whether the configuration speaks of an etcd: then none is brought up. */
  readonly isTold: boolean;
  /** Option `embedded_etcd`. */
  readonly mode: 'auto' | 'never';
  /** Where an etcd is looked for; `http://host:port` each. */
  readonly defaultServers: readonly string[];
  readonly stateDirectory: string;
  /** systemd's directory for units that are gone after a reboot. */
  readonly unitDirectory: string;
  /** Directories in which programs are looked for. */
  readonly searchPath: readonly string[];
  /** Use the calling user's systemd instead of the machine's. */
  readonly user: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  /** How programs are run. @default as a child process */
  readonly run?: RunCommand;
}

/** An etcd that is only starting is not taken for none. */
const silenceMs = 10_000;
const listenEveryMs = 500;

const firstBackoffMs = 1_000;
const longestBackoffMs = 60_000;

/** The etcd of a host that has no other: brought up if nothing speaks against it, and then kept by systemd. */
export class LocalEtcd {
  readonly #options: LocalEtcdOptions;
  readonly #places: LocalEtcdPlaces;
  readonly #run: RunCommand;
  readonly #end = new AbortController();
  #work: Promise<void> = Promise.resolve();

  constructor(options: LocalEtcdOptions) {
    this.#options = options;
    this.#places = localEtcdPlaces(options.stateDirectory, options.unitDirectory);
    this.#run = options.run ?? runCommand;
  }

  /**
   * Decides whether this host has an etcd of its own, and brings it up; says in the log what was decided, and why. May
   * take as long as the default servers are listened for. An etcd that does not start is tried for until {@link close}.
   *
   * @returns The address for clients, if it has one.
   */
  async open(): Promise<string | undefined> {
    const decision = await this.#decide();
    this.#tell(decision);
    if (decision.kind !== 'start') return undefined;
    const { places, program } = { places: this.#places, program: decision.program };
    await new Promise<void>((resolve) => {
      this.#work = this.#keepTrying(() => this.#bringUp(places, program), resolve);
    });
    return `unix:${places.socket}`;
  }

  /**
   * Another store has proved to be the host's: a later start brings up no own one beside it. One that runs is left alone.
   *
   * @param servers Where the other store is.
   */
  async giveWay(servers: readonly string[]): Promise<void> {
    const { directory, marker, otherStore } = this.#places;
    const text = `${servers.join(' ')}\n`;
    if ((await readFile(otherStore, 'utf8').catch(() => undefined)) !== text) await writeDurably(otherStore, text);
    if (!(await exists(marker))) return;
    await rm(marker, { force: true });
    const stop = `systemctl ${this.#options.user ? '--user ' : ''}stop ${localEtcdUnit}`;
    const hint = `once nobody needs it: ${stop}; rm -r ${directory}`;
    this.#options.log.info('the etcd of this host is no longer its store', { unit: localEtcdUnit, hint });
  }

  /** Gives up trying. A running etcd is left alone. */
  async close(): Promise<void> {
    this.#end.abort();
    await this.#work;
  }

  async #decide(): Promise<Decision> {
    const { isTold, mode, stateDirectory, defaultServers, searchPath, user, clock } = this.#options;
    if (isTold) return { kind: 'told' };
    const { marker, data, otherStore, socket } = this.#places;
    const facts: Facts = {
      isTold,
      mode,
      isInUse: await exists(marker),
      listeners: await findListeners(defaultServers),
      ownUid: process.getuid?.(),
      hasListened: false,
      remembered: await findRememberedStore(stateDirectory, otherStore),
      hasOldData: await exists(data),
      enabledUnit: await findEnabledEtcd(this.#run, user),
      program: await findProgram('etcd', searchPath),
      isPathShort: isSocketPathShort(socket),
    };
    const first = decide(facts);
    if (first.kind !== 'listen') return first;
    this.#options.log.info('no etcd is configured, and none answers; listening for one', {
      servers: defaultServers,
      seconds: silenceMs / 1000,
    });
    const untilMs = clock.monotonicMs() + silenceMs;
    let later: Facts = facts;
    while (decide(later).kind === 'listen' && clock.monotonicMs() < untilMs && !this.#end.signal.aborted) {
      await sleep(clock, listenEveryMs, this.#end.signal);
      later = { ...facts, listeners: await findListeners(defaultServers) };
    }
    const decision = decide({ ...later, hasListened: !this.#end.signal.aborted });
    if (decision.kind === 'start') this.#warnOf(later.listeners);
    return decision;
  }

  /** Where none is started the store's client says it, for as long as it looks for an etcd there. */
  #warnOf(strangers: readonly Listener[]): void {
    for (const stranger of strangers) {
      this.#options.log.warn('what listens where an etcd is looked for is not used', {
        at: stranger.at,
        because: explainStranger(stranger),
        hint: `see what it is; etcd_servers = ${stranger.at} has it used all the same`,
      });
    }
  }

  #tell(decision: Decision): void {
    const { log, defaultServers: servers } = this.#options;
    const { directory } = this.#places;
    if (decision.kind === 'answered')
      log.info('no etcd is configured; using the one that answers', { at: decision.at });
    if (decision.kind === 'start') {
      const why =
        decision.why === 'in-use' ? 'it is the store of this machine' : 'none is configured, and none answers';
      log.info('this host has an etcd of its own', { unit: localEtcdUnit, directory, why });
    }
    if (decision.kind === 'refuse') {
      const { because, hint } = explainRefusal(decision.because, directory);
      log.warn(`no etcd answers; not starting one, because ${because}`, { servers, hint });
    }
  }

  #bringUp(places: LocalEtcdPlaces, program: string): Promise<void> {
    const { user, clock } = this.#options;
    return bringUp({ places, program, user, clock, run: this.#run, signal: this.#end.signal });
  }

  /** Tries until it works. `onFirst` is called after the first try, whatever came of it. */
  async #keepTrying(attempt: () => Promise<void>, onFirst: () => void): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#end;
    let said: string | undefined;
    for (let waitMs = firstBackoffMs; !signal.aborted; waitMs = Math.min(2 * waitMs, longestBackoffMs)) {
      try {
        await attempt();
        if (!signal.aborted) log.info('the etcd of this host runs', { unit: localEtcdUnit });
        break;
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        const hint = `journalctl ${this.#options.user ? '--user-unit' : '--unit'} ${localEtcdUnit}`;
        if (problem !== said) log.error('the etcd of this host does not run; it is tried again', { problem, hint });
        said = problem;
      }
      onFirst();
      await sleep(clock, jittered(clock, waitMs), signal);
    }
    onFirst();
  }
}
