import type { Cluster } from './cluster.js';

/** Machine by unit, read from etcd: what leaders decide, whatever any fleetd says of it. */
export async function placedByEtcd({ lab }: Cluster): Promise<Map<string, string>> {
  const prefix = '/_coreos.com/fleet/placements/';
  const text = await lab.etcdctl(['get', '--prefix', prefix, '--write-out=json']);
  const { kvs = [] } = JSON.parse(text) as { kvs?: { key: string; value: string }[] };
  const decode = (text: string) => Buffer.from(text, 'base64').toString();
  const machineOf = (text: string) => (JSON.parse(text) as { machine: string }).machine;
  return new Map(kvs.map(({ key, value }) => [decode(key).slice(prefix.length), machineOf(decode(value))]));
}
