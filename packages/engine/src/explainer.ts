import type { UnitExplanation, UnknownUnit } from '@flotilla/cluster';
import { readRanges, type Store } from '@flotilla/registry';
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
}

/** Says why a unit is where it is. Rejects as the store does. */
export type Explainer = (name: UnitName) => Promise<UnitExplanation | UnknownUnit>;

/**
 * Makes an {@link Explainer}: the leader answers from its mirror, every other one reads the cluster for it, one read at a
 * time, which serves all who ask before it begins.
 */
export function createExplainer({ store, log, findEngine }: ExplainerOptions): Explainer {
  const view = new SharedView(store, log);
  return async (name) => {
    const explained = findEngine()?.explain(name);
    if (explained !== undefined) return explained;
    const state = await view.read();
    await settleCopies(store, state, name);
    return explainUnit(state, name);
  };
}

/** A view of the cluster that is read when it is asked for. */
class SharedView {
  readonly #store: Store;
  readonly #log: Logger;
  #underWay: Promise<MirrorState> | undefined;
  #next: Promise<MirrorState> | undefined;

  constructor(store: Store, log: Logger) {
    this.#store = store;
    this.#log = log;
  }

  /** Who asks while a read is under way may know of more than it will show, and gets the next one. */
  read(): Promise<MirrorState> {
    if (this.#next !== undefined) return this.#next;
    if (this.#underWay === undefined) return this.#begin();
    const begin = () => {
      this.#next = undefined;
      return this.#begin();
    };
    this.#next = this.#underWay.then(begin, begin);
    return this.#next;
  }

  #begin(): Promise<MirrorState> {
    const reading = readState(this.#store, this.#log);
    this.#underWay = reading;
    const end = () => {
      if (this.#underWay === reading) this.#underWay = undefined;
    };
    reading.then(end, end);
    return reading;
  }
}

async function readState(store: Store, log: Logger): Promise<MirrorState> {
  const { kvs } = await readRanges(store, mirroredRanges);
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
