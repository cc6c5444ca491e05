import type { UnitManager } from '@flotilla/systemd';
import { type PartitionStop, parseRequirements, parseUnitFile, UnitError, type UnitName } from '@flotilla/unit';

/**
 * Those of `names` that may not go on here without contact (`OnPartition=stop`), and how they stop: by their files on
 * this disk, as there may be no store to ask. A file that does not parse says nothing.
 */
export async function findPartitionStops(
  names: Iterable<UnitName>,
  unitManager: Pick<UnitManager, 'readFiles'>,
): Promise<Map<UnitName, PartitionStop>> {
  const found = new Map<UnitName, PartitionStop>();
  for (const [name, content] of await unitManager.readFiles([...names])) {
    const stop = findStop(name, content);
    if (stop !== undefined) found.set(name, stop);
  }
  return found;
}

function findStop(name: UnitName, content: Uint8Array): PartitionStop | undefined {
  try {
    return parseRequirements({ name, file: parseUnitFile(content, name), allowUnknown: true }).partitionStop;
  } catch (error) {
    if (error instanceof UnitError) return undefined;
    throw error;
  }
}
