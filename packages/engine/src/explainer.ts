import type { LeaderExplains, UnitExplanation, UnknownUnit } from '@flotilla/cluster';
import { findRecord, keys, type LeaderRecord, readRanges, type Store } from '@flotilla/registry';
import type { Logger } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';
import type { Engine } from './engine.js';
import { explainUnit } from './explain-unit.js';
import { findCopies } from './former-globals.js';
import { mirroredRanges } from './mirror.js';
import { MirrorState } from './mirror-state.js';

export interface ExplainerOptions {
  readonly store: Store;
  readonly log: Logger;
  /** This machine's engine, if it has one at the moment. */
  readonly findEngine: () => Engine | undefined;
  /** Of a larger cluster only the leader explains units. @default 200,000 keys, some 60,000 placed units */
  readonly mostKeys?: number;
}

/** As many take a second or two to make a view of (measured); meanwhile this fleetd does nothing else, and has leases to keep. */
const defaultMostKeys = 200_000;

/** Says why a unit is where it is. Rejects as the store does. */
export type Explainer = (name: UnitName) => Promise<UnitExplanation | UnknownUnit | LeaderExplains>;

/**
 * Makes an {@link Explainer}: the leader answers from its mirror, every other one reads the cluster for it, one read at a
 * time, which serves all who ask before it begins.
 */
export function createExplainer(options: ExplainerOptions): Explainer {
  const { store, log, findEngine, mostKeys = defaultMostKeys } = options;
  const view = new SharedView(() => readState({ store, log, mostKeys }));
  return async (name) => {
    const explained = findEngine()?.explain(name);
    if (explained !== undefined) return explained;
    const state = await view.read();
    if (state === undefined) return { kind: 'leader-explains', leader: await findLeader(store, log) };
    await settleCopies(store, state, name);
    return explainUnit(state, name);
  };
}

/** A view of the cluster; `undefined` if that is too large for one. */
type View = MirrorState | undefined;

/** A view of the cluster that is read when it is asked for. */
class SharedView {
  readonly #readNow: () => Promise<View>;
  #underWay: Promise<View> | undefined;
  #next: Promise<View> | undefined;

  constructor(readNow: () => Promise<View>) {
    this.#readNow = readNow;
  }

  /** Who asks while a read is under way may know of more than it will show, and gets the next one. */
  read(): Promise<View> {
    if (this.#next !== undefined) return this.#next;
    if (this.#underWay === undefined) return this.#begin();
    const begin = () => {
      this.#next = undefined;
      return this.#begin();
    };
    this.#next = this.#underWay.then(begin, begin);
    return this.#next;
  }

  #begin(): Promise<View> {
    const reading = this.#readNow();
    this.#underWay = reading;
    const end = () => {
      if (this.#underWay === reading) this.#underWay = undefined;
    };
    reading.then(end, end);
    return reading;
  }
}

interface ReadOptions extends Pick<ExplainerOptions, 'store' | 'log'> {
  readonly mostKeys: number;
}

async function readState({ store, log, mostKeys }: ReadOptions): Promise<View> {
  const kvs = await readRanges(store, mirroredRanges, mostKeys);
  if (kvs === undefined) return undefined;
  const state = new MirrorState({
    onTouched: () => {},
    onMachineChanged: () => {},
    onAbsencesChanged: () => {},
    onUnreadable: (key, _, error) => log.debug('unreadable record or unit file', { key, error }),
  });
  state.load(kvs);
  return state;
}

/** A unit that waits may have been global a moment ago: where it still runs, its states say. */
async function settleCopies(store: Store, state: MirrorState, name: UnitName): Promise<void> {
  const suspectedAt = state.formerGlobals.suspects.get(name);
  if (suspectedAt === undefined) return;
  const copies = await findCopies(store, [name], new AbortController().signal);
  state.noteCopies(name, suspectedAt, copies.get(name) ?? []);
}

async function findLeader(store: Store, log: Logger): Promise<LeaderExplains['leader']> {
  const [kv] = (await store.range({ from: keys.leader })).kvs;
  return findRecord<LeaderRecord>(kv, log);
}
