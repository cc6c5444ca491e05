import { fstatSync, writeSync } from 'node:fs';
import { type Logger as Pino, pino } from 'pino';
import type { LogFields, Logger } from './logger.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface CreateLoggerOptions {
  /** Lines below this level are not written. */
  readonly level: LogLevel;
  /**
   * `journal`: a text line with a `<N>` priority that journald takes off again. `text`: the same line with the level's
   * name. `json`: one JSON object a line, for collectors.
   */
  readonly format: 'journal' | 'text' | 'json';
  /** Takes each line, newline included. @default written to standard error */
  readonly write?: (line: string) => void;
}

const levelNames = new Map([
  [20, 'DEBUG'],
  [30, 'INFO'],
  [40, 'WARN'],
  [50, 'ERROR'],
]);

/** syslog priorities, as sd-daemon(3) wants them in front of a line. */
const priorities = new Map([
  [20, 7],
  [30, 6],
  [40, 4],
  [50, 3],
]);

/**
 * Whether standard error goes to journald, which says so with the socket's device and inode in `$JOURNAL_STREAM`.
 *
 * @see systemd.exec(5), $JOURNAL_STREAM
 */
export function isJournal(journalStream: string | undefined, fd = 2): boolean {
  if (journalStream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd);
    return journalStream === `${dev}:${ino}`;
  } catch {
    // A closed descriptor is no journal.
    return false;
  }
}

/** A log whose level can be changed; those of its children stay as they are. */
export interface LeveledLogger extends Logger {
  /** From now on lines below this level are not written. */
  setLevel(level: LogLevel): void;
}

/** A log on standard error, written line by line as it happens: nothing is lost when the process dies. */
export function createLogger({ level, format, write = writeToStderr }: CreateLoggerOptions): LeveledLogger {
  const destination =
    format === 'json'
      ? { write }
      : { write: (line: string) => write(formatLine(JSON.parse(line) as PinoLine, format)) };
  const target = pino(
    {
      level,
      base: null,
      ...(format === 'json' ? {} : { timestamp: false }),
      serializers: {
        error: (error: unknown) => (format === 'json' ? describeError(error) : describeError(error).text),
      },
    },
    destination,
  );
  return {
    ...wrap(target),
    setLevel(next) {
      target.level = next;
    },
  };
}

function wrap(target: Pino): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) =>
      target[level](fields, message);
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => wrap(target.child(fields)),
  };
}

type PinoLine = Readonly<Record<string, unknown>> & { readonly level: number; readonly msg: string };

/** `<6>message unit=web.service machine=ab12`: one line, whatever the values hold. */
function formatLine({ level, msg, ...fields }: PinoLine, format: 'journal' | 'text'): string {
  const head = format === 'journal' ? `<${priorities.get(level) ?? 6}>` : `${levelNames.get(level) ?? 'INFO'} `;
  const tail = Object.entries(fields).map(([key, value]) => ` ${key}=${formatValue(value)}`);
  return `${head}${msg}${tail.join('')}\n`;
}

function formatValue(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value) ?? 'undefined';
}

/** An error for the log: its message with those of its causes, and the stack where it is a programming error. */
function describeError(error: unknown): { readonly text: string; readonly code?: string; readonly stack?: string } {
  if (!(error instanceof Error)) return { text: String(error) };
  const cause = error.cause === undefined ? '' : describeError(error.cause).text;
  const causes = error.message.includes(cause) ? '' : `: ${cause}`;
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const isBug = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  const text = isBug ? (error.stack ?? error.message) : `${error.message}${causes}`;
  return { text, ...code, ...(error.stack === undefined ? {} : { stack: error.stack }) };
}

function writeToStderr(line: string): void {
  try {
    writeSync(2, line);
  } catch {
    // Nobody reads standard error any more (EPIPE, EAGAIN on a full pipe); a log line is not worth dying for.
  }
}
