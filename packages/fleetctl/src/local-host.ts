/** The host that fleetctl runs on. */
export interface LocalHost {
  /** `undefined` if it has none. */
  findMachineId(): Promise<string | undefined>;
  /**
   * Runs systemctl with the process's own stdout and stderr.
   *
   * @returns Its exit status, 128 and the signal that ended it, or why it can't be run.
   */
  systemctl(words: readonly string[]): Promise<number | Error>;
}

export interface LocalHostOptions {
  /** The user's own systemd is meant. */
  readonly isUser: boolean;
  /** @default /etc/machine-id */
  readonly machineIdPath?: string;
  /** @default systemctl */
  readonly program?: string;
}

/** This host. Nothing is loaded before it is asked. */
export function createLocalHost({
  isUser,
  machineIdPath = '/etc/machine-id',
  program = 'systemctl',
}: LocalHostOptions): LocalHost {
  return {
    async findMachineId() {
      const { readFile } = await import('node:fs/promises');
      try {
        return (await readFile(machineIdPath, 'utf8')).trim() || undefined;
      } catch {
        // Without one, no machine of a cluster is this one.
        return undefined;
      }
    },
    async systemctl(words) {
      const [{ spawn }, { constants }] = await Promise.all([import('node:child_process'), import('node:os')]);
      const child = spawn(program, [...(isUser ? ['--user'] : []), ...words], {
        stdio: ['ignore', 'inherit', 'inherit'],
      });
      return new Promise((resolve) => {
        child.on('error', resolve);
        child.on('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
      });
    },
  };
}
