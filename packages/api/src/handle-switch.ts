import { aborted, type Clock, sleep } from '@flotilla/runtime';
import type { Handle } from './api.js';
import type { ApiRequest } from './request.js';
import { createRouter } from './routes.js';
import { parseTarget } from './target.js';

export interface HandleSwitchOptions {
  /** What answers at first. */
  readonly handle: Handle;
  readonly clock: Clock;
}

/** What answers requests, and how many it has not answered yet. */
interface Answering {
  readonly handle: Handle;
  readonly underWay: Set<Promise<unknown>>;
}

/**
 * Lets what answers be exchanged while requests keep coming. Each request is answered by what was there when it was let
 * through; while {@link hold} has the door, those that need the store wait for the next one.
 */
export class HandleSwitch {
  readonly #clock: Clock;
  readonly #findRoute = createRouter();
  #answering: Answering;
  #door: AbortController | undefined;

  constructor({ handle, clock }: HandleSwitchOptions) {
    this.#clock = clock;
    this.#answering = { handle, underWay: new Set() };
  }

  /** To be served. */
  readonly handle: Handle = async (request) => {
    if (this.#needsStore(request)) while (this.#door !== undefined) await aborted(this.#door.signal);
    const { handle, underWay } = this.#answering;
    const response = handle(request);
    underWay.add(response);
    try {
      return await response;
    } finally {
      underWay.delete(response);
    }
  };

  /** From now on requests that need the store wait for {@link release}: `ms` at most, counted anew with each call. */
  hold(ms: number): void {
    const door = new AbortController();
    this.#door?.abort();
    this.#door = door;
    void sleep(this.#clock, ms, door.signal).then(() => this.#open(door));
  }

  /** Lets through who waits. */
  release(): void {
    if (this.#door !== undefined) this.#open(this.#door);
  }

  /** Has another one answer from now on. Resolves when the one before has answered what it was asked. */
  async exchange(handle: Handle): Promise<void> {
    const { underWay } = this.#answering;
    this.#answering = { handle, underWay: new Set() };
    await Promise.allSettled(underWay);
  }

  #needsStore({ url }: ApiRequest): boolean {
    const target = parseTarget(url);
    return target.kind === 'path' && this.#findRoute(target.path)?.resource.needsStore === true;
  }

  #open(door: AbortController): void {
    if (this.#door === door) this.#door = undefined;
    door.abort();
  }
}
