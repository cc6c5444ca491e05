import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where systemd looks for the programs of services. @see systemd.exec(5), "Environment" */
const servicePath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const oldestNode = 20;

/** Whether a version as Node prints it (`v20.1.0`) is recent enough for fleetd. */
export function isNodeNewEnough(version: string): boolean {
  return Number(/^v(\d+)\./.exec(version.trim())?.[1]) >= oldestNode;
}

/** Whether a service that asks for `node` gets one that is recent enough for fleetd. */
export async function hasServiceNode(): Promise<boolean> {
  try {
    const { stdout } = await run('/usr/bin/env', ['node', '--version'], { env: { PATH: servicePath } });
    return isNodeNewEnough(stdout);
  } catch {
    return false;
  }
}
