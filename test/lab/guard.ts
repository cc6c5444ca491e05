import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Watches over a lab until it is released. */
export interface Guard {
  /** To be called once the lab has been removed. */
  release(): Promise<void>;
}

/**
 * Starts a process that outlives this one and removes the lab when this one ends, however it ends: the end of its
 * input is what tells it.
 */
export function startGuard(directory: string): Guard {
  const program = fileURLToPath(new URL('./guard-main.js', import.meta.url));
  const child = spawn(process.execPath, [program, directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  child.stdin.on('error', () => {}); // the guard is gone already: there is nothing to tell
  child.unref();
  return {
    async release() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.ref();
      child.stdin.end('released');
      await ended;
    },
  };
}
