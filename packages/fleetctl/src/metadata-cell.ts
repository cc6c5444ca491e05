/** Metadata as `--metadata` of fleetd takes it; `-` if there is none. */
export function formatMetadata(metadata: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(metadata).map(([key, value]) => `${key}=${value}`);
  return pairs.sort().join(',') || '-';
}
