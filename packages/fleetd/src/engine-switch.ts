import type { Engine } from '@flotilla/engine';

/**
 * Lets an engine campaign only while that is allowed: not before the machine knows its store, and not while it takes
 * no orders from it. Changes are carried out one after the other.
 */
export class EngineSwitch {
  readonly #create: () => Engine;
  #engine: Engine | undefined;
  #last: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** `create` is called anew each time that campaigning becomes allowed. */
  constructor(create: () => Engine) {
    this.#create = create;
  }

  /** The engine, while it may campaign. */
  get engine(): Engine | undefined {
    return this.#engine;
  }

  /** Starts or stops the engine, if that changes anything. Resolves when it is done. */
  set(isAllowed: boolean): Promise<void> {
    this.#last = this.#last.then(async () => {
      if (this.#isClosed && isAllowed) return;
      if (isAllowed === (this.#engine !== undefined)) return;
      const engine = this.#engine ?? this.#create();
      this.#engine = isAllowed ? engine : undefined;
      if (isAllowed) engine.start();
      else await engine.close({ resign: true });
    });
    return this.#last;
  }

  /** Stops the engine for good. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.set(false);
  }
}
