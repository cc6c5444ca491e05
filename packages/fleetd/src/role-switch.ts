/** Something that fleetd does as long as it may. */
interface Role {
  start(): void;
}

/** How a role begins and ends. */
export interface RoleOptions<T extends Role> {
  /** Called anew each time that the role becomes allowed. */
  readonly create: () => T;
  readonly close: (role: T) => Promise<void>;
}

/**
 * Lets a role write to the store only while that is allowed: not before the machine knows its store, and not while it
 * takes no orders from it. Changes are carried out one after the other.
 */
export class RoleSwitch<T extends Role> {
  readonly #options: RoleOptions<T>;
  #role: T | undefined;
  #last: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: RoleOptions<T>) {
    this.#options = options;
  }

  /** What is at work, while it is allowed. */
  get current(): T | undefined {
    return this.#role;
  }

  /** Starts or ends the role, if that changes anything. Resolves when it is done. */
  set(isAllowed: boolean): Promise<void> {
    this.#last = this.#last.then(async () => {
      if (this.#isClosed && isAllowed) return;
      if (isAllowed === (this.#role !== undefined)) return;
      const role = this.#role ?? this.#options.create();
      this.#role = isAllowed ? role : undefined;
      if (isAllowed) role.start();
      else await this.#options.close(role);
    });
    return this.#last;
  }

  /** Ends the role for good. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.set(false);
  }
}
