/** What varies in a log line: unit, machine, pass, revision, error and so on. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A log. Messages are constants; everything variable is a field. Whoever handles an error logs it, once. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose every line carries `fields` too. */
  child(fields: LogFields): Logger;
}

/** Says nothing. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
