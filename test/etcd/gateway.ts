import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';

/** Calls etcd's JSON gateway: for what the store port leaves out, such as compaction and size. */
export async function callGateway(
  url: string,
  path: string,
  body: object,
  { token, tls }: GatewayAccess = {},
): Promise<Record<string, unknown>> {
  const headers = token === undefined ? {} : { authorization: token };
  const target = `${url}/v3/${path}`;
  const request =
    tls === undefined
      ? http.request(target, { method: 'POST', headers })
      : https.request(target, { method: 'POST', headers, ...tls });
  request.end(JSON.stringify(body));
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const answer = await text(response);
  if (response.statusCode !== 200) throw new Error(`etcd answered ${response.statusCode} to ${path}: ${answer}`);
  return JSON.parse(answer) as Record<string, unknown>;
}

/** A token of a user who is asked for one, and certificates for an etcd with TLS. */
export interface GatewayAccess {
  readonly token?: string;
  readonly tls?: { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer };
}

/** What etcd's users may do, changed by its root. */
export class EtcdUsers {
  readonly #url: string;
  readonly #access: GatewayAccess;

  private constructor(url: string, access: GatewayAccess) {
    this.#url = url;
    this.#access = access;
  }

  /** Makes `root` and, with rights below each of `prefixes`, `fleet`, both with password `secret`; asks for users from now on. */
  static async enable(
    url: string,
    prefixes: readonly string[],
    tls: Pick<GatewayAccess, 'tls'> = {},
  ): Promise<EtcdUsers> {
    const open = new EtcdUsers(url, tls);
    for (const name of ['root', 'fleet']) await open.addUser(name);
    for (const prefix of prefixes) await open.grant('fleet', prefix);
    await open.#call('enable', {});
    const { token } = await open.#call('authenticate', { name: 'root', password: 'secret' });
    return new EtcdUsers(url, { ...tls, token: String(token) });
  }

  async addUser(name: string): Promise<void> {
    await this.#call('role/add', { name });
    await this.#call('user/add', { name, password: 'secret' });
    await this.#call('user/grant', { user: name, role: name });
  }

  async grant(name: string, prefix: string, permType: 'READ' | 'READWRITE' = 'READWRITE'): Promise<void> {
    const [key, end] = [`${prefix}/`, `${prefix}0`].map((part) => Buffer.from(part).toString('base64'));
    await this.#call('role/grant', { name, perm: { permType, key, range_end: end } });
  }

  async setPassword(name: string, password: string): Promise<void> {
    await this.#call('user/changepw', { name, password });
  }

  async disable(): Promise<void> {
    await this.#call('disable', {});
  }

  #call(path: string, body: object): Promise<Record<string, unknown>> {
    return callGateway(this.#url, `auth/${path}`, body, this.#access);
  }
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
