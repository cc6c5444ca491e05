import { existsSync } from 'node:fs';
import { join } from 'node:path';

const programs = [
  'systemd-nspawn',
  'etcd',
  'etcdctl',
  'ip',
  'iptables',
  'nsenter',
  'unshare',
  'dbus-daemon',
  'journalctl',
];
const searched = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Why this machine can't have a lab, as a sentence; `false` if it can. Fits node:test's option `skip`. */
export function labObstacle(): string | false {
  if (process.platform !== 'linux') return `hosts with systemd need Linux, not ${process.platform}`;
  if (process.getuid?.() !== 0) return 'hosts with systemd need root';
  if (!existsSync('/etc/debian_version')) return 'hosts are made of the files of a Debian machine; this is none';
  const missing = programs.filter((name) => !searched.some((directory) => existsSync(join(directory, name))));
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  if (!existsSync('/sys/fs/cgroup')) return 'no control groups at /sys/fs/cgroup';
  return false;
}
