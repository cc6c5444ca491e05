/** How an option's text is read. */
export type OptionKind =
  | { readonly kind: 'text' }
  | { readonly kind: 'path' }
  | { readonly kind: 'list' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'count'; readonly min: number; readonly max: number }
  | { readonly kind: 'seconds' }
  | { readonly kind: 'duration' }
  | { readonly kind: 'metadata' }
  | { readonly kind: 'choice'; readonly choices: readonly string[] };

/** What options are about, in the order in which people need them. */
export const optionGroups = ['Store', 'Machine', 'Units', 'Engine', 'API', 'General'] as const;

export interface Option {
  readonly group: (typeof optionGroups)[number];
  /** What the value must look like. */
  readonly reads: OptionKind;
  /** The default, as it would be written in the file. */
  readonly fallback: string;
  /** What stands for the value in `--help`. @default by `reads` */
  readonly value?: string;
  /** What it is for, in a sentence or two. */
  readonly help: string;
}

/**
 * Every option of fleetd: key in the file, `FLEET_<KEY>` in the environment, `--<key-with-dashes>` as a flag. Names
 * and defaults are fleet's where fleet had the option; `units_directory` is not, as units survive a reboot here.
 */
export const options = {
  etcd_servers: {
    group: 'Store',
    reads: { kind: 'list' },
    fallback: 'http://127.0.0.1:2379,http://127.0.0.1:4001',
    value: 'URL,...',
    help: 'etcd endpoints, separated by commas',
  },
  etcd_username: { group: 'Store', reads: { kind: 'text' }, fallback: '', value: 'NAME', help: 'user for etcd' },
  etcd_password: {
    group: 'Store',
    reads: { kind: 'text' },
    fallback: '',
    value: 'PASSWORD',
    help: 'password for etcd; better in a file that only root reads than on a command line',
  },
  etcd_keyfile: { group: 'Store', reads: { kind: 'path' }, fallback: '', help: 'private key for TLS to etcd' },
  etcd_certfile: { group: 'Store', reads: { kind: 'path' }, fallback: '', help: 'certificate for TLS to etcd' },
  etcd_cafile: {
    group: 'Store',
    reads: { kind: 'path' },
    fallback: '',
    help: 'authority that etcd’s certificate is checked against',
  },
  etcd_key_prefix: {
    group: 'Store',
    reads: { kind: 'path' },
    fallback: '/_coreos.com/fleet/',
    value: 'PREFIX',
    help: 'prefix of all keys in etcd; hosts with the same one are one cluster',
  },
  etcd_request_timeout: {
    group: 'Store',
    reads: { kind: 'seconds' },
    fallback: '1.0',
    help: 'how long etcd has for an answer',
  },
  embedded_etcd: {
    group: 'Store',
    reads: { kind: 'choice', choices: ['auto', 'never'] },
    fallback: 'auto',
    help: 'auto: where no etcd is configured, none is installed as a service and none answers for 10 s, fleetd brings up one for this host alone',
  },
  public_ip: {
    group: 'Machine',
    reads: { kind: 'text' },
    fallback: '',
    value: 'ADDRESS',
    help: 'address that others reach this machine at; by default, that of the default route',
  },
  metadata: {
    group: 'Machine',
    reads: { kind: 'metadata' },
    fallback: '',
    help: 'what MachineMetadata= of units is matched with',
  },
  max_units: {
    group: 'Machine',
    reads: { kind: 'count', min: 0, max: 1_000_000 },
    fallback: '0',
    help: 'units that this machine takes, global ones included; 0: what goes for all machines',
  },
  agent_ttl: {
    group: 'Machine',
    reads: { kind: 'duration' },
    fallback: '30s',
    help: 'how long a silent machine counts as alive',
  },
  unit_dirs: {
    group: 'Units',
    reads: { kind: 'list' },
    fallback: 'local:/etc/fleet/units',
    value: 'NAME:PATH,...',
    help: 'directories whose unit files are units of the cluster, and run as soon as they lie there, separated by commas; none: there is no such directory. The same name on several hosts is one directory. Who writes there is root on every host of the cluster',
  },
  units_directory: {
    group: 'Units',
    reads: { kind: 'path' },
    fallback: '/var/lib/fleet/units',
    help: 'where this machine’s copies of unit files are kept; nothing for people to edit',
  },
  state_directory: {
    group: 'Units',
    reads: { kind: 'path' },
    fallback: '/var/lib/fleet',
    help: 'what fleetd remembers over a restart',
  },
  systemd_user: {
    group: 'Units',
    reads: { kind: 'boolean' },
    fallback: 'false',
    help: 'drive systemd’s user manager',
  },
  disable_agent: {
    group: 'Units',
    reads: { kind: 'boolean' },
    fallback: 'false',
    help: 'run no units on this machine, and watch no directories',
  },
  on_stop: {
    group: 'Units',
    reads: { kind: 'choice', choices: ['auto', 'leave', 'stay'] },
    fallback: 'auto',
    help: 'leave: stopping fleetd stops its units and leaves the cluster; stay: it touches nothing; auto: leave on `systemctl stop` and shutdown, stay otherwise',
  },
  leave_timeout: {
    group: 'Units',
    reads: { kind: 'duration' },
    fallback: '30s',
    help: 'how long leaving waits for units to stop',
  },
  disable_engine: {
    group: 'Engine',
    reads: { kind: 'boolean' },
    fallback: 'false',
    help: 'never decide where units run',
  },
  engine_reconcile_interval: {
    group: 'Engine',
    reads: { kind: 'seconds' },
    fallback: '2.0',
    help: 'the leader’s lease lasts five times as long',
  },
  loss_grace: {
    group: 'Engine',
    reads: { kind: 'duration' },
    fallback: '',
    help: 'how long this host, when it begins to lead, waits for machines that it has never seen alive; by default, agent_ttl',
  },
  listen: {
    group: 'API',
    reads: { kind: 'list' },
    fallback: '',
    value: 'ADDRESS,...',
    help: 'where the API is served besides the sockets that systemd passes, separated by commas: unix:///path, http://127.0.0.1:port. Who reaches it is root on every host of the cluster',
  },
  insecure_listen: {
    group: 'API',
    reads: { kind: 'list' },
    fallback: '',
    value: 'ADDRESS,...',
    help: 'the same, also for addresses that other hosts reach, without any protection: whoever does is root on every host of the cluster',
  },
  token_limit: {
    group: 'API',
    reads: { kind: 'count', min: 1, max: 65_535 },
    fallback: '100',
    help: 'entries on a page of the API',
  },
  verbosity: {
    group: 'General',
    reads: { kind: 'count', min: 0, max: 100 },
    fallback: '0',
    help: 'above 0: log debugging lines too',
  },
} as const satisfies Record<string, Option>;

export type OptionName = keyof typeof options;

/** In the order in which `--help` shows them. */
export const optionNames = Object.keys(options) as OptionName[];

/** fleet's options that mean nothing here: accepted, with one log line. */
export const legacyOptions: readonly string[] = [
  'verify_units',
  'authorized_keys_file',
  'enable_grpc',
  'disable_watches',
];

/** Where a value came from, for messages: `/etc/fleet/fleet.conf:12`, `FLEET_METADATA`, `--metadata`. */
export interface OptionValue {
  readonly text: string;
  readonly source: string;
}

/** Values as given, by option; what was not given is absent. */
export type OptionValues = ReadonlyMap<OptionName, OptionValue>;

/** What one source says. */
export interface GivenOptions {
  readonly values: OptionValues;
  /** One sentence each, for the log. */
  readonly warnings: readonly string[];
}

/** The option as a flag, without its dashes in front. */
export function flagName(name: string): string {
  return name.replaceAll('_', '-');
}

/** The option in the environment. */
export function variableName(name: string): string {
  return `FLEET_${name.toUpperCase()}`;
}

/** What the log says of one of {@link legacyOptions}, in fleet's words. */
export function legacyWarning(name: string): string {
  return `Config option ${name} is no longer supported - ignoring`;
}

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(options, name);
}
