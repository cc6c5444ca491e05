/** The group whose members may use the API of a host, which makes them root there. */
export const fleetGroup = 'fleet';

/** What fleetd runs as. */
export const fleetUnits = ['fleet.socket', 'fleet.service'] as const;

/** A line for systemd-sysusers: the group, with any free number. @see sysusers.d(5) */
export const fleetGroupFile = `# Members may use fleetctl on this host, which makes them root on every host of the cluster.
g ${fleetGroup} -
`;

export interface ServiceUnitOptions {
  /** fleetd's path, and its arguments if any. */
  readonly command: readonly string[];
  /** Which systemd is to run it: the host's, or a user's own. */
  readonly manager: 'system' | 'user';
}

/**
 * Text of `fleet.service`.
 *
 * fleetd tells systemd when it is ready and, three times in `WatchdogSec=`, that it is alive; neither waits for etcd.
 */
export function fleetServiceUnit({ command, manager }: ServiceUnitOptions): string {
  const isSystem = manager === 'system';
  const systemctl = isSystem ? 'systemctl' : 'systemctl --user';
  return `# The next installation writes this file anew. Changes of your own belong in a drop-in: ${systemctl} edit fleet.service
[Unit]
Description=Flotilla: runs this host's share of the cluster's units
Requires=fleet.socket
${isSystem ? 'Wants=network-online.target\nAfter=fleet.socket network-online.target' : 'After=fleet.socket'}
# However often it fails, it is tried again.
StartLimitIntervalSec=0

[Service]
Type=notify
# fleetd speaks to systemd through the program systemd-notify.
NotifyAccess=all
ExecStart=${command.map(quoteArgument).join(' ')}
# Reads the configuration again; its log says what came of it.
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=2
# No longer than agent_ttl: after that, its units have been started elsewhere.
WatchdogSec=30
# Longer than leave_timeout; fleetd asks for more where that is set higher.
TimeoutStopSec=60
# What fleetd has started are short calls of systemctl. They may end by themselves, and nobody has to wait for them.
KillMode=process
# glibc's memory in one heap, not one a thread, and given back when it is free: 5 to 10 MB less.
Environment=MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072
${isSystem ? protection : ''}
[Install]
WantedBy=${isSystem ? 'multi-user.target' : 'default.target'}
`;
}

/** On a host that runs short of anything, its fleetd is to be heard: else its units are started elsewhere too. */
const protection = `
# A busy host keeps what it needs to stay in the cluster.
OOMScoreAdjust=-900
MemoryLow=128M
CPUWeight=500
IOWeight=500
LimitNOFILE=65536

# What fleetd starts, systemd starts: these bind fleetd alone. File systems stay as they are, as its options name paths.
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
`;

/** Text of `fleet.socket`: for the group {@link fleetGroup} on a host, for nobody else in a user's own systemd. */
export function fleetSocketUnit(options: { readonly socket: string; readonly manager: 'system' | 'user' }): string {
  const isSystem = options.manager === 'system';
  const systemctl = isSystem ? 'systemctl' : 'systemctl --user';
  return `# The next installation writes this file anew. Changes of your own belong in a drop-in: ${systemctl} edit fleet.socket
[Unit]
Description=Flotilla: the API, for fleetctl

[Socket]
ListenStream=${options.socket}
${isSystem ? `SocketMode=0660\nSocketGroup=${fleetGroup}` : 'SocketMode=0600'}

[Install]
WantedBy=sockets.target
`;
}

/** An argument as systemd reads it back from `ExecStart=`. @see systemd.service(5), "Command lines" */
function quoteArgument(argument: string): string {
  const literal = argument.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@%+=:,./$-]+$/.test(literal) ? literal : `"${literal.replace(/["\\]/g, '\\$&')}"`;
}
