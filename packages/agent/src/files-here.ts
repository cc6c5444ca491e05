import type { Logger } from '@flotilla/runtime';
import type { UnitFileHere, UnitManager } from '@flotilla/systemd';
import type { UnitName } from '@flotilla/unit';

/** What the units directory has. */
export interface FilesHere {
  readonly files: ReadonlyMap<UnitName, UnitFileHere>;
  /** Why nobody knows which files there are. */
  readonly problem?: Error;
}

export async function listFilesHere(unitManager: Pick<UnitManager, 'listFiles'>): Promise<FilesHere> {
  try {
    return { files: await unitManager.listFiles() };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return { files: new Map(), problem: new Error(`the units directory can't be read: ${reason}`, { cause }) };
  }
}

/** Says once of each file that it is not the agent's. */
export class StrangeFiles {
  readonly #log: Logger;
  readonly #told = new Set<UnitName>();

  constructor(log: Logger) {
    this.#log = log;
  }

  tell(files: FilesHere['files'], own: { has(name: UnitName): boolean }): void {
    for (const name of this.#told) if (!files.has(name)) this.#told.delete(name);
    for (const name of files.keys()) {
      if (own.has(name) || this.#told.has(name)) continue;
      this.#told.add(name);
      this.#log.warn('a unit file was not put there by this agent; it is left alone', { unit: name });
    }
  }
}
