import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Refusal } from './request.js';

/** A request that is under way. */
export interface Exchange {
  readonly incoming: IncomingMessage;
  /** Has it answered with that, although not all of it has come. */
  readonly refuse: (refusal: Refusal) => void;
}

/**
 * A client's connection. Its requests have one turn after the other, each until its answer is taken: what a client
 * asks for in one go happens in that order, and it makes this process hold one body and one answer at a time.
 */
export class Connection {
  readonly #stream: Duplex;
  /** Those that wait for their turn; each is told whether it comes. */
  readonly #waiting: ((comes: boolean) => void)[] = [];
  #last: Exchange | undefined;
  #isTaken = false;
  /** It has had its last answer, or its client is gone. */
  #isOver = false;
  #isBroken = false;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.once('close', () => this.endLastTurn());
  }

  /** Nothing is asked of it, or not all that is asked has come. */
  get isIdle(): boolean {
    return !this.#isTaken || this.#last?.incoming.complete === false;
  }

  drop(): void {
    this.#stream.destroy();
  }

  /** Waits until all earlier requests are answered. @returns False if the client won't get another answer. */
  takeTurn(exchange?: Exchange): Promise<boolean> {
    if (exchange !== undefined) this.#last = exchange;
    if (this.#isTaken) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#isTaken = true;
    return Promise.resolve(!this.#isOver);
  }

  endTurn(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#isTaken = false;
    else next(!this.#isOver);
  }

  /** The client was told that this answer is the last one: what it has asked for beside is not done. */
  endLastTurn(): void {
    this.#isOver = true;
    for (const tell of this.#waiting.splice(0)) tell(false);
  }

  /**
   * No more requests can come of it. Earlier ones are answered first, then the one that is half there is refused, or
   * if there is none `write` gives a last answer. Of several such calls the first one counts.
   */
  async breakOff(refusal: Refusal | undefined, write: () => Promise<void>): Promise<void> {
    if (this.#isBroken) return;
    this.#isBroken = true;
    if (refusal !== undefined && this.#last?.incoming.complete === false) this.#last.refuse(refusal);
    else if (await this.takeTurn()) await write();
  }
}
