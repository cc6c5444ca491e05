/** Calls etcd's JSON gateway: for what the store port leaves out, such as compaction and size. */
export async function callGateway(url: string, path: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}/v3/${path}`, { method: 'POST', body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`etcd answered ${response.status} to ${path}: ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}

export async function compactEtcd(url: string, revision: number): Promise<void> {
  await callGateway(url, 'kv/compaction', { revision: String(revision), physical: true });
}

/** What the database's pages in use add up to; pages that compaction freed do not count. */
export async function databaseBytes(url: string): Promise<number> {
  return Number((await callGateway(url, 'maintenance/status', {})).dbSizeInUse);
}

export async function isLeader(url: string): Promise<boolean> {
  const { header, leader } = await callGateway(url, 'maintenance/status', {});
  return JSON.stringify(header).includes(`"member_id":"${leader}"`);
}
