import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LeaseStorage, SavedLease } from '@flotilla/registry';
import { findJson, writeAtomic } from '@flotilla/runtime';

/** Keeps the machine's lease in `lease.json` in the state directory, for the next process. */
export function createLeaseStorage(stateDirectory: string): LeaseStorage {
  const path = join(stateDirectory, 'lease.json');
  return {
    async load() {
      const found = await findJson(path);
      if (typeof found !== 'object' || found === null) return undefined;
      const { lease, machine, boot, instance } = found as Partial<SavedLease>;
      if (lease === undefined || machine === undefined || boot === undefined || instance === undefined)
        return undefined;
      return { lease, machine, boot, instance };
    },
    async save(saved) {
      if (saved === undefined) await rm(path, { force: true });
      else await writeAtomic(path, `${JSON.stringify(saved)}\n`);
    },
  };
}
