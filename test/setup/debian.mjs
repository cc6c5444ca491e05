// The Debian packages that tests and demo want, and how they get here.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { isInstalled, runShown } from './command.mjs';

/** What is wanted, the program or the file by which its presence shows, and why. */
const packages = [
  { name: 'systemd-container', program: 'systemd-nspawn', why: 'boots the test hosts' },
  { name: 'systemd', program: 'journalctl', why: 'runs on the test hosts' },
  { name: 'systemd-sysv', program: 'poweroff', why: 'is PID 1 of the test hosts' },
  { name: 'dbus', program: 'dbus-daemon', why: 'carries systemd’s signals on the test hosts' },
  {
    name: 'libpam-systemd',
    file: '/usr/share/pam-configs/systemd',
    why: 'gives users of the test hosts their systemd',
  },
  {
    name: 'dbus-user-session',
    file: '/usr/lib/systemd/user/dbus.socket',
    why: 'gives users of the test hosts their bus',
  },
  { name: 'etcd-server', program: 'etcd', why: 'keeps the state of the test clusters' },
  { name: 'etcd-client', program: 'etcdctl', why: 'asks etcd how it is' },
  { name: 'strace', program: 'strace', why: 'slows the disk of a test’s etcd down' },
  { name: 'iproute2', program: 'ip', why: 'makes the network of the test hosts' },
  { name: 'iptables', program: 'iptables', why: 'keeps the test hosts from each other' },
];

/** Debian's hook that tells package scripts not to start services; ours while we install, unless there is one. */
const policyFile = '/usr/sbin/policy-rc.d';

/** Names of the wanted packages that are not here. */
export function missingPackages() {
  return packages.filter(({ program, file }) => (file === undefined ? !isInstalled(program) : !existsSync(file)));
}

/** Installs what is missing if this user may. @returns Why something is still missing, or undefined. */
export function installMissingPackages() {
  const missing = missingPackages();
  if (missing.length === 0) return undefined;
  const names = missing.map(({ name }) => name);
  if (!existsSync('/etc/debian_version')) return `missing: ${names.join(' ')}; they are known for Debian only`;
  if (process.getuid() !== 0) return `missing: ${names.join(' ')}; installing them needs root`;
  for (const { name, why } of missing) console.log(`installing the Debian package ${name}: it ${why}`);
  const isDone = withoutServiceStarts(() => aptGet('update') && aptGet('install', '--no-install-recommends', ...names));
  if (isDone && names.includes('etcd-server')) keepEtcdOff();
  const left = missingPackages();
  return left.length === 0 ? undefined : `apt-get could not install: ${left.map(({ name }) => name).join(' ')}`;
}

function aptGet(...args) {
  return runShown('apt-get', ['-q', '-y', ...args], { DEBIAN_FRONTEND: 'noninteractive' });
}

function withoutServiceStarts(install) {
  if (existsSync(policyFile)) return install();
  writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return install();
  } finally {
    rmSync(policyFile);
  }
}

/** Only the binary is wanted: the machine must not run an etcd of its own after its next boot because of a test. */
function keepEtcdOff() {
  console.log('the service etcd.service stays off: only the program etcd is needed');
  runShown('systemctl', ['--quiet', 'disable', 'etcd.service']);
}
