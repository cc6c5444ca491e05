import assert from 'node:assert/strict';
import type { MachineId } from '@flotilla/cluster';
import { silentLogger } from '@flotilla/runtime';
import { Election, type Leadership } from './election.js';
import { keys } from './keys.js';
import { MemoryStore } from './memory-store.js';
import { decodeRecord, type LeaderRecord } from './records.js';
import { fairWeather, longestDelayMs, SimulatedLink, type Weather } from './simulated-link.js';
import { SimulatedProcess, SimulatedTime } from './simulated-time.js';
import type { WatchEvent } from './store.js';

export const ttlSeconds = 10;
const ttlMs = ttlSeconds * 1000;

/** What is written by whoever leads. It comes after the leader's key, so that one watch sees both in order. */
const writtenKey = 'written';

/** How far clocks may be off: less than the fifth of a lease that lies between its fence and its end. */
const clockErrors = [0.85, 1, 1.15];

/** Each candidate is a number; `ms` lasts on while further steps are taken. */
export type Step =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'stop'; readonly who: number; readonly ms: number }
  | {
      readonly do: 'cut';
      readonly who: number;
      readonly direction: 'requests' | 'replies' | 'both';
      readonly ms: number;
    }
  | { readonly do: 'break-watches' | 'crash' | 'resign'; readonly who: number }
  /** The leader's lease ends before its time, by an operator's hand. */
  | { readonly do: 'revoke' };

export interface Schedule {
  readonly steps: readonly Step[];
  readonly weather: Weather;
  /** Of all chance in the world. */
  readonly seed: number;
}

/** Three candidates with clocks that disagree, on one store, over a bad network; each writes whenever it leads. */
export class SimulatedElection {
  readonly #random: () => number;
  readonly #time = new SimulatedTime();
  readonly #store: MemoryStore;
  readonly #candidates: readonly Candidate[];
  #weather: Weather;
  #isRevoked = false;
  #holder: { readonly fence: number; readonly machine: string } | undefined;
  #highestFence = 0;
  #writes = 0;
  /** What the witness did not expect. */
  #wrong: string | undefined;

  constructor({ seed, weather }: Schedule) {
    this.#random = randomFrom(seed);
    this.#weather = weather;
    const server = new SimulatedProcess({ time: this.#time, rate: 1, random: this.#random });
    this.#store = new MemoryStore({ clock: server });
    this.#store.watch(
      { ranges: [{ from: keys.leader, to: `${writtenKey}\0` }], fromRevision: 1 },
      {
        onEvents: (events) => {
          for (const event of events) this.#witness(event);
        },
        onBroken: () => {},
      },
    );
    const world = { time: this.#time, store: this.#store, random: this.#random, weather: () => this.#weather };
    this.#candidates = clockErrors.map((rate, at) => new Candidate(`${at}` as MachineId, rate, world));
  }

  /** How often a leader has written so far. */
  get writes(): number {
    return this.#writes;
  }

  /** Takes the steps, then ends all faults and sees a leader within three TTLs, who stays. */
  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (step.do === 'wait') await this.#advance(step.ms);
      else await this.#take(step);
    }
    this.#weather = fairWeather;
    for (const candidate of this.#candidates) candidate.link.heal();
    await this.#advance(longestDelayMs);
    await this.#advance(3 * ttlMs);
    const [leader, ...others] = this.#candidates.filter((candidate) => candidate.leads());
    assert.ok(leader !== undefined && others.length === 0, 'nobody leads although all is well again');
    const { terms } = leader;
    const written = this.#writes;
    await this.#advance(ttlMs);
    assert.ok(leader.leads() && leader.terms === terms, 'a leader does not stay although all is well');
    assert.ok(this.#writes > written, 'the leader cannot write');
  }

  async #take(step: Exclude<Step, { do: 'wait' }>): Promise<void> {
    if (step.do === 'revoke') {
      this.#isRevoked = true;
      const lease = (await this.#store.range({ from: keys.leader })).kvs[0]?.lease;
      if (lease !== undefined) await this.#store.revokeLease(lease);
      return;
    }
    const candidate = this.#candidates[step.who];
    if (step.do === 'stop') candidate?.process.stop(step.ms);
    else if (step.do === 'cut') candidate?.link.cut(step.direction, step.ms);
    else if (step.do === 'break-watches') candidate?.link.breakWatches();
    else candidate?.restart({ resign: step.do === 'resign' });
  }

  async #advance(ms: number): Promise<void> {
    await this.#time.advance(ms, () => {
      assert.equal(this.#wrong, undefined);
      if (this.#isRevoked) return;
      let leaders = 0;
      for (const candidate of this.#candidates) if (candidate.leads()) leaders++;
      assert.ok(leaders <= 1, 'two candidates believe that they lead');
    });
  }

  /** Sees all that happens in the store, in its order. */
  #witness(event: WatchEvent): void {
    if (event.kind === 'delete') this.#holder = undefined;
    else if (event.kv.key === keys.leader) {
      const fence = event.kv.createRevision;
      if (fence <= this.#highestFence) this.#wrong = 'a term has the fence of an earlier one';
      this.#highestFence = fence;
      this.#holder = { fence, machine: decodeRecord<LeaderRecord>(event.kv.key, event.kv.value).machine };
    } else {
      const holder = `${this.#holder?.machine} ${this.#holder?.fence}`;
      const writer = new TextDecoder().decode(event.kv.value);
      if (writer !== holder) this.#wrong = `${writer} wrote while the leader was ${holder}`;
      this.#writes++;
    }
  }
}

interface World {
  readonly time: SimulatedTime;
  readonly store: MemoryStore;
  readonly random: () => number;
  readonly weather: () => Weather;
}

class Candidate {
  readonly #machine: MachineId;
  readonly #world: World;
  readonly #rate: number;
  process: SimulatedProcess;
  link: SimulatedLink;
  #election: Election;
  #leadership: Leadership | undefined;
  /** How often it has been elected. */
  terms = 0;

  constructor(machine: MachineId, rate: number, world: World) {
    this.#machine = machine;
    this.#rate = rate;
    this.#world = world;
    ({ process: this.process, link: this.link, election: this.#election } = this.#begin());
  }

  leads(): boolean {
    return this.#leadership?.isFresh() === true;
  }

  /** Another process takes its place: the old one dies, or resigns and lives on until that is done. */
  restart({ resign }: { readonly resign: boolean }): void {
    if (resign) void this.#election.close({ resign });
    else this.process.kill();
    this.#leadership = undefined;
    ({ process: this.process, link: this.link, election: this.#election } = this.#begin());
  }

  #begin() {
    const { time, store, random, weather } = this.#world;
    const process = new SimulatedProcess({ time, rate: this.#rate, random });
    const link = new SimulatedLink({ store: store.client(), time, process, random, weather });
    const election = new Election({
      store: link,
      clock: process,
      log: silentLogger,
      record: { machine: this.#machine, address: '' },
      ttlSeconds,
      onElected: (leadership) => {
        this.#leadership = leadership;
        this.terms++;
        this.#writeOn(leadership, process, link);
      },
    });
    process.setTimer(random() * 1_000, () => election.start());
    return { process, link, election };
  }

  /** Writes as an engine does: asks the fence, and compares it. */
  #writeOn(leadership: Leadership, process: SimulatedProcess, link: SimulatedLink): void {
    process.setTimer(200 + 3_000 * this.#world.random(), () => {
      if (leadership.ended.aborted) return;
      if (leadership.isFresh()) {
        const value = new TextEncoder().encode(`${this.#machine} ${leadership.fence}`);
        const compares = [{ key: keys.leader, on: 'create-revision', equals: leadership.fence }] as const;
        // Whether it came to be is what the witness sees.
        link.transact({ compares, success: [{ kind: 'put', key: writtenKey, value }] }).catch(() => {});
      }
      this.#writeOn(leadership, process, link);
    });
  }
}

/** Mulberry32: small, quick, and good enough to throw dice. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
