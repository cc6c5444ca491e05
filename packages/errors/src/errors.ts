/** What a {@link FleetError} carries besides its message. */
export interface FleetErrorOptions {
  /** What the reader can do about it, as one sentence. */
  readonly hint?: string;
  /** The error that this one was made from. */
  readonly cause?: unknown;
  /** Whoever raised it has logged what is wrong. @default false */
  readonly isReported?: boolean;
}

/**
 * An error that Flotilla itself raises. `code` is stable (kebab-case) and is what programs match on; `message`
 * contains the offending value and is for people. A loop retries it on its next pass.
 */
export class FleetError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  /** Whether the log says already what is wrong: others who meet the error tell it at debug level only. */
  readonly isReported: boolean;

  constructor(code: string, message: string, options: FleetErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
    this.isReported = options.isReported === true;
  }
}

/** An error that no retry can cure (a bad configuration, say): the program that meets it exits. */
export class FatalError extends FleetError {}

/** Closes a `switch` over a union: does not compile while a case is missing, throws if one arrives all the same. */
export function assertNever(value: never): never {
  throw new FleetError('unreachable', `unexpected value: ${JSON.stringify(value)}`);
}
