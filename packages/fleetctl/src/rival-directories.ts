import { type Client, isTransient } from '@flotilla/client';

/** By unit: the directories that have a file of it although it is not theirs. None where the API knows no directories. */
export async function readRivals(client: Client): Promise<ReadonlyMap<string, readonly string[]>> {
  const directories = await client.listDirectories().catch((error: unknown) => {
    if (isTransient(error)) throw error;
    return [];
  });
  const rivals = new Map<string, string[]>();
  for (const { name, hosts } of directories) {
    for (const unit of new Set(hosts.flatMap(({ conflicts }) => conflicts.map((each) => each.unit)))) {
      const known = rivals.get(unit) ?? [];
      rivals.set(unit, [...known, name]);
    }
  }
  return rivals;
}
