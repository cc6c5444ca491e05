import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findJson, type Logger } from '@flotilla/runtime';
import { isUnitName, type UnitName } from '@flotilla/unit';
import type { StartedRecord } from './current.js';

const temporaryName = '.new';

/** A record as it may be found, or is to be kept. */
type Noted = Pick<StartedRecord, 'uid' | 'order'> & {
  readonly [key in 'hash' | 'isOutdated']?: StartedRecord[key] | undefined;
};

/**
 * One small file per unit that was started, in a directory that does not survive a reboot. Only this process writes there,
 * so the files are read once. That directory is in memory: a synchronous write takes 30 us, a tenth of an asynchronous one.
 *
 * What was carried out was carried out, also when there is no room to note it: then this process knows it all the same,
 * and writes it as soon as it can.
 */
export class StartedRecords {
  readonly #directory: string;
  readonly #records = new Map<UnitName, StartedRecord>();
  readonly #log: Logger;
  /** Names whose file is not as {@link #records} has it. */
  readonly #outdated = new Set<UnitName>();
  #isRead = false;

  constructor(directory: string, log: Logger) {
    this.#directory = directory;
    this.#log = log;
  }

  /** The records; to be read before anything is written. */
  async read(): Promise<ReadonlyMap<UnitName, StartedRecord>> {
    for (const name of this.#outdated) this.#save(name);
    if (this.#isRead) return this.#records;
    await mkdir(this.#directory, { recursive: true });
    for (const name of await readdir(this.#directory)) {
      if (!isUnitName(name)) continue;
      const found = await findJson(join(this.#directory, name));
      if (typeof found !== 'object' || found === null) continue;
      const { uid, order, ...more } = found as Partial<StartedRecord>;
      if (uid !== undefined && order !== undefined) this.#records.set(name, recordOf({ uid, order, ...more }));
    }
    this.#isRead = true;
    return this.#records;
  }

  write(name: UnitName, record: StartedRecord): void {
    this.#records.set(name, recordOf(record));
    this.#save(name);
  }

  /** These go on for now although they are to be replaced. */
  outdate(names: Iterable<UnitName>): void {
    for (const name of names) {
      const record = this.#records.get(name);
      if (record !== undefined && record.isOutdated !== true) this.write(name, { ...record, isOutdated: true });
    }
  }

  remove(name: UnitName): void {
    if (this.#records.delete(name)) this.#save(name);
  }

  #save(name: UnitName): void {
    const record = this.#records.get(name);
    const [path, temporary] = [join(this.#directory, name), join(this.#directory, temporaryName)];
    try {
      if (record === undefined) rmSync(path, { force: true });
      else {
        writeFileSync(temporary, `${JSON.stringify(record)}\n`);
        renameSync(temporary, path);
      }
      this.#outdated.delete(name);
    } catch (error) {
      if (this.#outdated.has(name)) return;
      this.#outdated.add(name);
      this.#log.error('what was started could not be noted; it is tried again', { unit: name, error });
    }
  }
}

/** No more than what is kept: what is written may know more. */
function recordOf({ uid, order, hash, isOutdated }: Noted): StartedRecord {
  return { uid, order, ...(hash === undefined ? {} : { hash }), ...(isOutdated === true ? { isOutdated } : {}) };
}
