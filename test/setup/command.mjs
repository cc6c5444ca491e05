import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

const moreDirectories = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Runs a command in the repository, its output shown as it comes. @returns True if it exits with 0. */
export function runShown(program, args, environment = {}) {
  const { status, error } = spawnSync(program, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment },
  });
  if (error) console.error(`${program}: ${error.message}`);
  return status === 0;
}

/** True if a program is on the PATH, or where Debian keeps root's programs. */
export function isInstalled(program) {
  const directories = [...(process.env.PATH ?? '').split(':'), ...moreDirectories];
  return directories.some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
