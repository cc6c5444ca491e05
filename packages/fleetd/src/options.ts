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

export interface Option {
  /** What the value must look like. */
  readonly reads: OptionKind;
  /** The default, as it would be written in the file. */
  readonly fallback: string;
  /** One line for `--help`. */
  readonly help: string;
}

/**
 * Every option of fleetd: key in the file, `FLEET_<KEY>` in the environment, `--<key-with-dashes>` as a flag. Names
 * and defaults are fleet's where fleet had the option; `units_directory` is not, as units survive a reboot here.
 */
export const options = {
  verbosity: { reads: { kind: 'count', min: 0, max: 9 }, fallback: '0', help: 'above 0: log debugging lines too' },
  etcd_servers: {
    reads: { kind: 'list' },
    fallback: 'http://127.0.0.1:2379,http://127.0.0.1:4001',
    help: 'etcd endpoints, separated by commas',
  },
  etcd_username: { reads: { kind: 'text' }, fallback: '', help: 'user for etcd' },
  etcd_password: { reads: { kind: 'text' }, fallback: '', help: 'password for etcd' },
  etcd_keyfile: { reads: { kind: 'path' }, fallback: '', help: 'private key for TLS to etcd' },
  etcd_certfile: { reads: { kind: 'path' }, fallback: '', help: 'certificate for TLS to etcd' },
  etcd_cafile: { reads: { kind: 'path' }, fallback: '', help: 'authority that etcd’s certificate is checked against' },
  etcd_key_prefix: { reads: { kind: 'path' }, fallback: '/_coreos.com/fleet/', help: 'prefix of all keys in etcd' },
  etcd_request_timeout: { reads: { kind: 'seconds' }, fallback: '1.0', help: 'seconds that etcd has for an answer' },
  embedded_etcd: {
    reads: { kind: 'choice', choices: ['auto', 'never'] },
    fallback: 'auto',
    help: 'auto: where no etcd is configured, none is installed as a service and none answers for 10 s, fleetd brings up one for this host alone',
  },
  engine_reconcile_interval: {
    reads: { kind: 'seconds' },
    fallback: '2.0',
    help: 'seconds; the leader’s lease lasts five times as long',
  },
  public_ip: {
    reads: { kind: 'text' },
    fallback: '',
    help: 'address that others reach this machine at (default: found)',
  },
  metadata: { reads: { kind: 'metadata' }, fallback: '', help: 'key=value,... for MachineMetadata= to match' },
  max_units: {
    reads: { kind: 'count', min: 0, max: 1_000_000 },
    fallback: '0',
    help: 'units that this machine takes, global ones included; 0: what goes for all machines',
  },
  agent_ttl: { reads: { kind: 'duration' }, fallback: '30s', help: 'how long a silent machine counts as alive' },
  loss_grace: {
    reads: { kind: 'duration' },
    fallback: '',
    help: 'how long this host, when it begins to lead, waits for machines that it has never seen alive (default: agent_ttl)',
  },
  token_limit: { reads: { kind: 'count', min: 1, max: 65_535 }, fallback: '100', help: 'units on a page of the API' },
  units_directory: {
    reads: { kind: 'path' },
    fallback: '/var/lib/fleet/units',
    help: 'where this machine’s unit files are kept',
  },
  state_directory: {
    reads: { kind: 'path' },
    fallback: '/var/lib/fleet',
    help: 'what fleetd remembers over a restart',
  },
  systemd_user: { reads: { kind: 'boolean' }, fallback: 'false', help: 'drive systemd’s user manager' },
  disable_engine: { reads: { kind: 'boolean' }, fallback: 'false', help: 'never decide where units run' },
  disable_agent: { reads: { kind: 'boolean' }, fallback: 'false', help: 'run no units on this machine' },
  on_stop: {
    reads: { kind: 'choice', choices: ['auto', 'leave', 'stay'] },
    fallback: 'auto',
    help: 'leave: stopping fleetd stops its units and leaves the cluster; stay: it touches nothing; auto: leave on `systemctl stop` and shutdown, stay otherwise',
  },
  leave_timeout: {
    reads: { kind: 'duration' },
    fallback: '30s',
    help: 'how long leaving waits for units to stop',
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

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(options, name);
}
