import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ignoreMissing } from './cgroup.js';

const directories = [
  'etc/systemd/system',
  'usr',
  'var/log/journal',
  'var/lib/dpkg',
  'run',
  'tmp',
  'root',
  'proc',
  'sys',
];
const moreDirectories = ['dev', 'srv', 'opt/fleet', 'opt/node'];

/** Debian's own; missing ones do not matter. */
const copiedFromEtc = ['os-release', 'passwd', 'group', 'shadow', 'nsswitch.conf', 'pam.d', 'dbus-1', 'ssl'];
const moreFromEtc = ['alternatives', 'dpkg', 'ld.so.cache', 'ld.so.conf', 'ld.so.conf.d', 'login.defs', 'security'];

/** What programs are installed into: the machine's own, with a layer above that takes the host's changes. */
const layered = ['/usr', '/var/lib/dpkg'];

/** Units that cost time and do nothing on such a host. */
const masked = [
  'console-getty.service',
  'getty@.service',
  'systemd-tmpfiles-clean.timer',
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'man-db.timer',
  'logrotate.timer',
  'fstrim.timer',
  'e2scrub_all.timer',
  'e2scrub_reap.service',
  'systemd-networkd.service',
  'systemd-resolved.service',
];

/** How a host has the machine's /usr: to read, or with changes of its own, for installing programs and packages. */
export type UsrMode = 'read-only' | 'writable';

/**
 * The mounts that give a host its /usr, in systemd-nspawn's notation. They are gone with the container; what it has
 * changed is kept in `layers` for its next boot.
 *
 * @param layers A directory of the host's own, on a file system that overlays can be laid upon: in memory.
 */
export async function mountUsr(mode: UsrMode, layers: string): Promise<string[]> {
  if (mode === 'read-only') return ['--bind-ro=/usr'];
  const mounts: string[] = [];
  for (const path of layered) {
    const upper = join(layers, basename(path));
    await mkdir(upper, { recursive: true });
    mounts.push(`--overlay=${path}:${upper}:${path}`);
  }
  return mounts;
}

/** Makes the root directory of a host that borrows the machine's /usr. `machineId` is 32 hex digits. */
export async function createHostRoot(root: string, name: string, machineId: string): Promise<void> {
  for (const each of [...directories, ...moreDirectories]) await mkdir(join(root, each), { recursive: true });
  for (const each of ['bin', 'sbin', 'lib', 'lib64']) await symlink(`usr/${each}`, join(root, each));
  for (const each of [...copiedFromEtc, ...moreFromEtc]) {
    // Links stay links (alternatives point into /usr) except os-release, whose target has to be a file in /etc.
    const options = { recursive: true, dereference: each === 'os-release', verbatimSymlinks: each !== 'os-release' };
    await cp(join('/etc', each), join(root, 'etc', each), options).catch(ignoreMissing);
  }
  await writeFile(join(root, 'etc/machine-id'), `${machineId}\n`);
  await writeFile(join(root, 'etc/hostname'), `${name}\n`);
  for (const unit of masked) await symlink('/dev/null', join(root, 'etc/systemd/system', unit));
}
