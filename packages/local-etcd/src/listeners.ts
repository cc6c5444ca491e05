import { readFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { explainStranger, isTrusted, type Listener } from './decide.js';

/** `/proc/net/tcp` and `/proc/net/tcp6`. @see proc_net_tcp in the kernel's documentation */
export interface SocketTables {
  readonly tcp: string;
  readonly tcp6: string;
}

const listening = '0A';

/**
 * The user that a connection to this IPv4 address would reach; `undefined` if nobody listens, or none that the kernel
 * shows here.
 */
export function findOwner({ tcp, tcp6 }: SocketTables, address: string, port: number): number | undefined {
  const own = formatWords(address.split('.').map(Number));
  const mapped = formatWords([...Array(10).fill(0), 0xff, 0xff, ...address.split('.').map(Number)]);
  // As the kernel chooses: who listens on the very address before who listens on all.
  const places = [
    [tcp, own],
    [tcp6, mapped],
    [tcp, '0'.repeat(8)],
    [tcp6, '0'.repeat(32)],
  ] as const;
  for (const [table, words] of places) {
    const uids = findUids(table, `${words}:${port.toString(16).toUpperCase().padStart(4, '0')}`);
    // Several share an address only as one user, or on devices that can't be told apart here.
    if (uids.length > 0) return Math.max(...uids);
  }
  return undefined;
}

function findUids(table: string, address: string): number[] {
  return table.split('\n').flatMap((line) => {
    const [, local, , state, , , , uid] = line.trim().split(/\s+/);
    return local === address && state === listening ? [Number(uid)] : [];
  });
}

/** The kernel writes each four bytes as one number. */
function formatWords(bytes: readonly number[]): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    const word = bytes.slice(at, at + 4);
    text += Buffer.from(endianness() === 'LE' ? word.reverse() : word).toString('hex');
  }
  return text.toUpperCase();
}

/** Whose what listens at this server is. */
export async function readListener(server: string): Promise<Listener> {
  const { hostname, port } = new URL(server);
  const read = (name: string) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '');
  const [tcp, tcp6] = await Promise.all([read('tcp'), read('tcp6')]);
  return { at: server, uid: findOwner({ tcp, tcp6 }, hostname, Number(port)) };
}

/** Why what listens at a server that nobody has configured is not to be taken for an etcd, now; `undefined` if it may be. */
export async function findObjection(server: string): Promise<string | undefined> {
  const listener = await readListener(server);
  if (isTrusted(listener, process.getuid?.())) return undefined;
  return listener.uid === undefined ? 'nothing listens there' : explainStranger(listener);
}
