import type { MachineId, UnitExplanation, UnknownUnit } from '@flotilla/cluster';
import { Election, type LeaderRecord, type Store } from '@flotilla/registry';
import type { Clock, Logger } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';
import type { EnginePass } from './engine-pass.js';
import { Term } from './term.js';

export interface EngineOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** The machine that this engine runs on. */
  readonly machine: MachineId;
  /** Where the others reach this machine; empty if unknown. */
  readonly address: string;
  /** How long the others wait, in seconds, before they replace a leader that has died. */
  readonly leaderTtlSeconds: number;
  /** How long a silent machine counts as alive, in seconds. @default 30 */
  readonly agentTtlSeconds?: number;
  /** How long a new leader waits for machines that it has never seen alive. @default agentTtlSeconds */
  readonly lossGraceMs?: number | undefined;
  /** How often, in milliseconds, the leader reads everything again, in case it was told wrong. @default 30 minutes */
  readonly auditIntervalMs?: number;
  /** Told what came of each pass of this engine's, while it leads. Must not throw. @default nothing */
  readonly onPass?: (pass: EnginePass) => void;
}

/** A part of each fleetd; one of them all acts. */
export interface Engine {
  /** Begins to campaign. */
  start(): void;
  /** Stops deciding, then campaigning. `resign` makes room for a successor at once; else the lease runs out. */
  close(options: { readonly resign: boolean }): Promise<void>;
  /** The leader that was seen last, this engine included. */
  findLeader(): LeaderRecord | undefined;
  /** Whether this engine leads. */
  readonly isLeading: boolean;
  /** Since when, in epoch milliseconds; `undefined` while it does not. */
  readonly leadingSinceMs: number | undefined;
  /** Why a unit is where it is, from the mirror of the cluster; `undefined` if this engine has none, as it does not lead. */
  explain(name: UnitName): UnitExplanation | UnknownUnit | undefined;
}

const defaultAgentTtlSeconds = 30;
const defaultAuditIntervalMs = 30 * 60_000;

/** Makes the engine of a machine: it campaigns, and while it leads, it decides which machine runs each unit. */
export function createEngine(options: EngineOptions): Engine {
  return new ElectedEngine(options);
}

class ElectedEngine implements Engine {
  readonly #options: EngineOptions;
  readonly #election: Election;
  #term: Term | undefined;
  #termSinceMs = 0;
  #leader: LeaderRecord | undefined;
  #isClosed = false;

  constructor(options: EngineOptions) {
    const { store, clock, log, machine, address, leaderTtlSeconds, auditIntervalMs = defaultAuditIntervalMs } = options;
    const { agentTtlSeconds = defaultAgentTtlSeconds, lossGraceMs, onPass } = options;
    const losses = { agentTtlMs: agentTtlSeconds * 1000, graceMs: lossGraceMs };
    this.#options = options;
    this.#election = new Election({
      store,
      clock,
      log,
      record: { machine, address },
      ttlSeconds: leaderTtlSeconds,
      onLeader: (leader) => this.#noteLeader(leader),
      onElected: (leadership) => {
        if (this.#isClosed) return;
        log.info('Engine leadership acquired', { fence: leadership.fence });
        const term = new Term({ store, clock, log, leadership, auditIntervalMs, losses, onPass });
        this.#term = term;
        this.#termSinceMs = clock.now();
        leadership.ended.addEventListener('abort', () => this.#endTerm(term));
      },
    });
  }

  get isLeading(): boolean {
    return this.#term !== undefined;
  }

  get leadingSinceMs(): number | undefined {
    return this.#term === undefined ? undefined : this.#termSinceMs;
  }

  findLeader(): LeaderRecord | undefined {
    return this.#leader;
  }

  explain(name: UnitName): UnitExplanation | UnknownUnit | undefined {
    return this.#term?.explain(name);
  }

  start(): void {
    this.#election.start();
  }

  async close({ resign }: { readonly resign: boolean }): Promise<void> {
    this.#isClosed = true;
    await this.#term?.close();
    await this.#election.close({ resign });
  }

  #endTerm(term: Term): void {
    if (!this.#isClosed) this.#options.log.warn('Engine leadership lost');
    if (this.#term === term) this.#term = undefined;
    void term.close();
  }

  /** fleet's words, which people look for in the log. A gap between two leaders is no change by itself. */
  #noteLeader(leader: LeaderRecord | undefined): void {
    if (leader === undefined) return;
    const previous = this.#leader;
    this.#leader = leader;
    const { log, machine } = this.#options;
    if (previous?.machine === leader.machine || leader.machine === machine) return;
    if (previous === undefined) log.info(`Engine leader is ${leader.machine}`);
    else log.info(`Engine leadership changed from ${previous.machine} to ${leader.machine}`);
  }
}
