import { existsSync } from 'node:fs';
import type { CommandOptions, CommandResult } from './command.js';
import type { TestHost } from './host.js';
import { labObstacle } from './requirements.js';
import { waitUntil } from './wait-until.js';

/** An ordinary user of a host, whose own systemd runs without a session of theirs. */
export interface TestUser {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
  readonly runtimeDirectory: string;
  /** Runs a program as this user, in an environment like that of a session. */
  exec(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Like `exec`, for what has to succeed; gives its standard output. */
  mustExec(argv: readonly string[], options?: CommandOptions): Promise<string>;
  /** Writes a file of this user's, and its directories. */
  writeFile(path: string, content: string | Uint8Array): Promise<void>;
}

/** What a user's systemd and bus need, and the Debian package that has it. */
const wanted = {
  '/usr/share/pam-configs/systemd': 'libpam-systemd',
  '/usr/lib/systemd/user/dbus.socket': 'dbus-user-session',
};

/** Like `labObstacle`, for hosts with users. */
export function userObstacle(): string | false {
  const missing = Object.entries(wanted).filter(([path]) => !existsSync(path));
  const names = missing.map(([, name]) => name).join(', ');
  return labObstacle() || (names !== '' && `not installed: ${names}`);
}

/** Makes a user on a host and starts that user's systemd, which stays. */
export async function addUser(host: TestHost, name = 'ann', uid = 1500): Promise<TestUser> {
  const [home, runtimeDirectory] = [`/home/${name}`, `/run/user/${uid}`];
  await host.mustExec(['useradd', `--uid=${uid}`, '--user-group', '--create-home', `--home-dir=${home}`, name]);
  await host.mustExec(['loginctl', 'enable-linger', name]);
  const ids = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--init-groups', '--reset-env', '--'];
  const variables = [`XDG_RUNTIME_DIR=${runtimeDirectory}`, 'PATH=/opt/node:/usr/local/bin:/usr/bin:/bin'];
  const asUser = (argv: readonly string[]) => [...ids, 'env', `--chdir=${home}`, ...variables, ...argv];
  const user: TestUser = {
    name,
    uid,
    home,
    runtimeDirectory,
    exec: (argv, options) => host.exec(asUser(argv), options),
    mustExec: (argv, options) => host.mustExec(asUser(argv), options),
    async writeFile(path, content) {
      await user.mustExec(['mkdir', '-p', '--', path.replace(/\/[^/]*$/, '')]);
      await user.mustExec(['dd', 'status=none', `of=${path}`], { stdin: content });
    },
  };
  await waitUntil({
    what: `the systemd of ${name} runs on ${host.name}`,
    read: async () => (await user.exec(['systemctl', '--user', 'is-system-running'])).stdout.trim(),
    until: (state) => state === 'running',
    onTimeout: () => host.journal(),
  });
  return user;
}
