import { socketNames } from './places.js';

export interface UnitTextOptions {
  /** The etcd program's path. */
  readonly program: string;
  /** Where it lives and listens. */
  readonly directory: string;
  /** For a user's own systemd. */
  readonly user: boolean;
}

/**
 * Text of `fleet-etcd.service`: an etcd of one member that has no address, only sockets in its directory. Its paths are
 * relative to that directory.
 */
export function localEtcdUnitText({ program, directory, user }: UnitTextOptions): string {
  const [clients, peers] = [`unix://${socketNames.clients}`, `unix://${socketNames.peers}`];
  const name = 'local';
  const options = [
    `--name=${name}`,
    '--data-dir=data',
    `--listen-client-urls=${clients}`,
    `--advertise-client-urls=${clients}`,
    `--listen-peer-urls=${peers}`,
    `--initial-advertise-peer-urls=${peers}`,
    `--initial-cluster=${name}=${peers}`,
    // Who is alone need not wait for other members' votes: at its defaults it takes two seconds to start again.
    '--heartbeat-interval=20',
    '--election-timeout=200',
    '--auto-compaction-mode=periodic',
    '--auto-compaction-retention=1h',
    // etcd keeps as many entries in memory; its default of 100,000 is for members that may lag behind.
    '--snapshot-count=10000',
    '--logger=zap',
    '--log-level=warn',
  ];
  return `[Unit]
Description=Flotilla: the etcd of a host that has no other
# When both are stopped, fleetd leaves the cluster first.
Before=fleet.service
# However often it fails, it is tried again.
StartLimitIntervalSec=0

[Service]
Type=notify
WorkingDirectory=${literal(directory)}
# A socket that a killed etcd has left behind keeps the next one from listening.
ExecStartPre=rm -f ${socketNames.clients} ${socketNames.peers}
ExecStart="${literal(program).replaceAll('$', '$$$$')}" ${options.join(' ')}
Restart=always
RestartSec=1
# A large log takes time to read.
TimeoutStartSec=300
UMask=0077
LimitNOFILE=65536
NoNewPrivileges=yes
RestrictAddressFamilies=AF_UNIX
${user ? '' : protection(directory)}`;
}

/** What only the host's own systemd can do. */
function protection(directory: string): string {
  return `ProtectSystem=strict
ReadWritePaths="${literal(directory)}"
OOMScoreAdjust=-900
CPUWeight=500
IOWeight=500
`;
}

/** @see systemd.unit(5), "Specifiers" */
function literal(path: string): string {
  return path.replaceAll('%', '%%');
}
