import { FleetError } from '@flotilla/errors';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { findDurationMs } from './duration.js';
import { versionLine } from './version-line.js';

/** Environment variables, as the process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Flags that every command takes, anywhere on the line. */
export interface GlobalFlags {
  readonly endpoint?: string;
  /** The user's own fleetd is meant. */
  readonly user?: boolean;
  /** In milliseconds. */
  readonly requestTimeout: number;
  readonly debug?: boolean;
}

/** The name of a global flag's variable starts with this. */
const environmentPrefix = 'FLEETCTL_';
const defaultRequestTimeoutMs = 10_000;

/** Adds the global flags to the program; the line wins over the environment. */
export function addGlobalFlags(program: Command): void {
  const options = [
    new Option(
      '--endpoint <url>',
      'where fleetd listens: unix:///path or http://host:port (default: /var/run/fleet.sock or, without access to ' +
        'that, what --user means)',
    ),
    new Option('--user', 'talk to your own fleetd (fleetd --user), at $XDG_RUNTIME_DIR/fleet.sock'),
    new Option('--request-timeout <duration>', 'how long one request may take: 10s, 500ms')
      .default(defaultRequestTimeoutMs, '10s')
      .argParser(parseTimeout),
    new Option('--debug', 'print each request on stderr'),
  ];
  for (const option of options) program.addOption(option);
  program.version(versionLine, '-v, --version', 'print the version');
}

/** Which flags the environment gives, but for the endpoint, as words for the front of the line. @throws FleetError `usage` */
export function environmentWords(environment: Environment): string[] {
  const words: string[] = [];
  const read = (name: string) => environment[environmentPrefix + name] ?? '';
  if (read('REQUEST_TIMEOUT') !== '') words.push(`--request-timeout=${read('REQUEST_TIMEOUT')}`);
  const debug = read('DEBUG').toLowerCase();
  if (['1', 't', 'true'].includes(debug)) words.push('--debug');
  else if (!['', '0', 'f', 'false'].includes(debug))
    throw new FleetError('usage', `FLEETCTL_DEBUG=${read('DEBUG')} is neither true nor false`);
  return words;
}

function parseTimeout(text: string): number {
  const ms = findDurationMs(text);
  if (ms === undefined || ms <= 0) throw new InvalidArgumentError('It is no duration like 10s or 500ms.');
  return ms;
}
