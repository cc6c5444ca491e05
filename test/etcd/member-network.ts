import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createCgroup } from '../lab/cgroup.js';
import { mustRun } from '../lab/command.js';
import { startGuard } from '../lab/guard.js';
import { claimLab, removeLab } from '../lab/lab-record.js';
import { createBridge, createHostNetwork, inNamespace, namespacePath, setCable } from '../lab/network.js';
import { type EtcdPlace, etcdMissing } from './etcd.js';

/** Every test process loads it. */
const plainExit = pathToFileURL(join(import.meta.dirname, '../../setup/plain-exit.mjs')).href;

const members = ['member-0', 'member-1', 'member-2'];

/** Tells a test process that it is inside, and where. */
const insideVariable = 'FLOTILLA_TEST_NETWORK';

/** Why members can't have networks of their own here; `undefined` if they can. */
export function memberNetworkMissing(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'network namespaces need root on Linux';
  const searched = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  const missing = ['ip', 'nsenter', 'unshare'].filter((name) => !searched.some((at) => existsSync(join(at, name))));
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  return etcdMissing();
}

/** A network that touches nothing of the machine's: this process is in its middle, each member at a cable's end. */
export class MemberNetwork {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** The network that this process is in, if it is in one. */
  static find(): MemberNetwork | undefined {
    const directory = process.env[insideVariable];
    return directory === undefined ? undefined : new MemberNetwork(directory);
  }

  /**
   * Runs a test file once more, inside a new network, and lets it report in this process's place. Everything in the
   * network ends with this process, however it ends.
   */
  static async run(file: string): Promise<void> {
    const directory = await claimLab(basename(file).replace(/\..*$/, ''));
    const guard = startGuard(directory);
    try {
      await createBridge(directory);
      for (const [at, member] of members.entries()) await createHostNetwork(directory, member, addressOf(at));
      const groups = await createCgroup(`${basename(directory)}/tests`);
      const argv = [process.execPath, ...process.execArgv, `--import=${plainExit}`, file];
      const [program = '', ...rest] = inNamespace(namespacePath(directory, 'lab'), argv);
      const env = { ...process.env, [insideVariable]: directory };
      const inside = spawn(program, rest, { stdio: 'inherit', env });
      for (const group of groups) writeFileSync(group, String(inside.pid));
      const [code] = await once(inside, 'exit');
      process.exitCode = typeof code === 'number' ? code : 1;
    } finally {
      await removeLab(directory);
      await guard.release();
    }
  }

  get places(): EtcdPlace[] {
    return members.map((member, at) => ({
      address: addressOf(at),
      namespace: namespacePath(this.#directory, member),
    }));
  }

  /** Pulls a member's cable, or puts it back: no connection breaks, nothing arrives. */
  async setCable(at: number, state: 'up' | 'down'): Promise<void> {
    await setCable(this.#directory, members[at] ?? '', state);
  }

  /** Parts a member from its fellows, or joins it again; everyone else still reaches it. */
  async setFellows(at: number, state: 'parted' | 'joined'): Promise<void> {
    const [namespace, verb] = [this.places[at]?.namespace ?? '', state === 'parted' ? 'add' : 'del'];
    for (const [other, { address }] of this.places.entries()) {
      if (other === at) continue;
      await mustRun(inNamespace(namespace, ['ip', 'route', verb, 'blackhole', `${address}/32`]));
    }
  }
}

function addressOf(at: number): string {
  return `10.77.2.${at + 1}`;
}
