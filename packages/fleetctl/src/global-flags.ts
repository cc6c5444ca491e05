import { type Command, InvalidArgumentError, Option } from 'commander';
import { findTruth } from './command-line.js';
import { findDurationMs } from './duration.js';
import { messageOf, UsageError } from './errors.js';
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
  /** Files in PEM, for https. */
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly debug?: boolean;
  readonly driver?: string;
  /** `host[:port]` of an SSH host to go through. */
  readonly tunnel?: string;
  readonly sshUsername?: string;
}

const defaultRequestTimeoutMs = 10_000;

/** Adds the global flags to the program. */
export function addGlobalFlags(program: Command): void {
  const options = [
    new Option(
      '--endpoint <url>',
      'where fleetd listens: unix:///path, http://host:port or https://host:port (default: ' +
        'unix:///var/run/fleet.sock or, without access to that, what --user means)',
    ),
    new Option('--user', 'talk to your own fleetd (fleetd --user), at $XDG_RUNTIME_DIR/fleet.sock'),
    new Option('--request-timeout <duration>', 'how long one request may take: 10s, 500ms, 2.5')
      .default(defaultRequestTimeoutMs, '10s')
      .argParser(parseTimeout),
    new Option(
      '--ca-file <file>',
      "https: the authorities that may have signed the certificate of fleetd (default: the system's)",
    ),
    new Option('--cert-file <file>', 'https: the certificate to show'),
    new Option('--key-file <file>', 'https: its key'),
    new Option('--debug', 'print each request on stderr'),
    ...withoutEffect(),
  ];
  for (const option of options) program.addOption(option);
  program.version(versionLine, '-v, --version', 'print the version');
}

/** Flags that fleet's scripts may give, and that change nothing here, or nothing yet. */
function withoutEffect(): Option[] {
  return [
    new Option('--driver <name>').default('API'),
    new Option('--etcd-key-prefix <prefix>'),
    new Option('--experimental-api'),
    new Option('--known-hosts-file <file>'),
    new Option('--ssh-timeout <duration>').argParser(parseTimeout),
    new Option('--ssh-username <name>').default('core'),
    new Option('--strict-host-key-checking'),
    new Option('--tunnel <host>'),
  ].map((option) => option.hideHelp());
}

/** The variables of `--etcd-keyfile` and its like. */
const otherVariables: Readonly<Record<string, string>> = {
  FLEETCTL_CA_FILE: 'FLEETCTL_ETCD_CAFILE',
  FLEETCTL_CERT_FILE: 'FLEETCTL_ETCD_CERTFILE',
  FLEETCTL_KEY_FILE: 'FLEETCTL_ETCD_KEYFILE',
};

/**
 * What is not read here: the endpoint's variable is looked at where `--user` is, and that has none: it would turn every
 * fleetctl of a session away from the system's fleetd, unseen.
 */
const notRead: ReadonlySet<string> = new Set(['endpoint', 'user', 'version']);

/**
 * The global flags: what the line says, else the environment, else the defaults.
 *
 * @param program After it has read the line.
 * @param denied Flags that the line switches off.
 * @throws UsageError for a variable that can't be read.
 */
export function readGlobalFlags(program: Command, environment: Environment, denied: ReadonlySet<string>): GlobalFlags {
  const flags: Record<string, unknown> = { ...program.opts<GlobalFlags>() };
  for (const option of program.options) {
    const name = option.attributeName();
    const isOnLine = program.getOptionValueSource(name) === 'cli' || denied.has(option.long ?? '');
    if (isOnLine || notRead.has(name)) continue;
    const value = readVariable(option, environment);
    if (value !== undefined) flags[name] = value;
  }
  return { ...program.opts<GlobalFlags>(), ...flags };
}

function readVariable(option: Option, environment: Environment): unknown {
  const own = variableOf(option);
  const variable = [own, otherVariables[own] ?? own].find((each) => (environment[each] ?? '') !== '');
  const text = variable === undefined ? undefined : environment[variable];
  if (variable === undefined || text === undefined) return undefined;
  if (!option.required) {
    const truth = findTruth(text);
    if (truth === undefined) throw new UsageError(`${variable}=${text} is neither true nor false`);
    return truth;
  }
  try {
    return option.parseArg === undefined ? text : option.parseArg(text, undefined);
  } catch (error) {
    throw new UsageError(`${variable}=${text} can't be used: ${messageOf(error)}`);
  }
}

/** `FLEETCTL_ENDPOINT` of `--endpoint`. */
function variableOf({ long = '' }: Option): string {
  return `FLEETCTL_${long.slice(2).toUpperCase().replaceAll('-', '_')}`;
}

function parseTimeout(text: string): number {
  const ms = findDurationMs(text);
  if (ms === undefined || ms <= 0) throw new InvalidArgumentError('It is no duration like 10s or 500ms.');
  return ms;
}
