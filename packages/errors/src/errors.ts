/** What a {@link FleetError} carries besides its message. */
export interface FleetErrorOptions {
  /** What the reader can do about it, as one sentence. */
  readonly hint?: string;
  /** The error that this one was made from. */
  readonly cause?: unknown;
}

/**
 * An error that Flotilla itself raises. `code` is stable (kebab-case) and is what programs match on; `message`
 * contains the offending value and is for people. A loop retries it on its next pass.
 */
export class FleetError extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, options: FleetErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
  }
}

/** An error that no retry can cure (a bad configuration, say): the program that meets it exits. */
export class FatalError extends FleetError {}

/** Closes a `switch` over a union: does not compile while a case is missing, throws if one arrives all the same. */
export function assertNever(value: never): never {
  throw new FleetError('unreachable', `unexpected value: ${JSON.stringify(value)}`);
}
