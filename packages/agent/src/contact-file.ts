import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findJson, type Logger } from '@flotilla/runtime';

/** No unit's name, so that it may stand among the records of what was started. */
const fileName = '.contact';

/**
 * Until when this machine surely counts as alive, for the next process of this boot: that one can't know when the last
 * keepalive was answered. Times are of the monotonic clock, which begins anew with a boot, as does the directory. It is in
 * memory: a write takes 30 us.
 */
export class ContactFile {
  readonly #directory: string;
  readonly #log: Logger;
  #isFailing = false;

  constructor(directory: string, log: Logger) {
    this.#directory = directory;
    this.#log = log;
  }

  /** `undefined` if there was no contact in this boot, as far as is known. */
  async load(): Promise<number | undefined> {
    const found = await findJson(join(this.#directory, fileName));
    return typeof found === 'number' ? found : undefined;
  }

  /** What could not be saved makes the next process take contact for lost sooner than it is. */
  save(freshUntilMs: number): void {
    const path = join(this.#directory, fileName);
    try {
      mkdirSync(this.#directory, { recursive: true });
      writeFileSync(`${path}.new`, `${freshUntilMs}\n`);
      renameSync(`${path}.new`, path);
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#log.error('how long contact lasts could not be noted', { path, error });
      this.#isFailing = true;
    }
  }
}
