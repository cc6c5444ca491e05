import { get as getPlain, type IncomingMessage } from 'node:http';
import { get as getSecure } from 'node:https';
import type { Clock } from '@flotilla/runtime';
import type { EtcdTls } from './client-set.js';

/** An answer holds for so long: the quota changes when etcd is restarted, and the page that tells it has some 150 KB. */
const keptMs = 60_000;

/** With its end, as a piece of the page may stop in the middle of the number. */
const quotaLine = /^etcd_server_quota_backend_bytes (\S+)\n/m;

export interface EtcdQuotaOptions {
  readonly host: string;
  /** The certificates of the moment. */
  readonly tls: () => EtcdTls | undefined;
  readonly clock: Clock;
  /** How long an answer may take. */
  readonly patienceMs: number;
}

/**
 * The space quota of one member of an etcd. Up to version 3.5 only the metrics page on its client address tells it, for
 * which no permission is needed, but a client's certificate as for all else. Where there is no such page the quota is
 * unknown: etcd's default of 2 GiB need not be this one's.
 */
export class EtcdQuota {
  readonly #options: EtcdQuotaOptions;
  #known: { readonly bytes: number | undefined; readonly atMs: number } | undefined;

  constructor(options: EtcdQuotaOptions) {
    this.#options = options;
  }

  /** In bytes; `undefined` if it can't be found out. Never rejects. */
  async find(): Promise<number | undefined> {
    const { clock } = this.#options;
    if (this.#known === undefined || clock.monotonicMs() - this.#known.atMs >= keptMs) {
      const bytes = await this.#ask().catch(() => undefined);
      this.#known = { bytes, atMs: clock.monotonicMs() };
    }
    return this.#known.bytes;
  }

  async #ask(): Promise<number | undefined> {
    const { clock, patienceMs } = this.#options;
    const abort = new AbortController();
    const impatience = clock.setTimer(patienceMs, () => abort.abort());
    try {
      const page = await this.#open(abort.signal);
      return page.statusCode === 200 ? await findQuota(page.setEncoding('utf8')) : undefined;
    } finally {
      impatience.cancel();
      abort.abort();
    }
  }

  #open(signal: AbortSignal): Promise<IncomingMessage> {
    const { host, tls } = this.#options;
    const url = new URL('/metrics', host);
    return new Promise((resolve, reject) => {
      // Without an agent the connection ends with its answer: a closed store keeps no process alive.
      const options = { signal, agent: false } as const;
      const request =
        url.protocol === 'https:' ? getSecure(url, { ...tls(), ...options }, resolve) : getPlain(url, options, resolve);
      request.on('error', reject);
    });
  }
}

/** The quota on a metrics page that comes in pieces, which are read only as far as needed. */
export async function findQuota(pieces: AsyncIterable<string>): Promise<number | undefined> {
  let text = '';
  for await (const piece of pieces) {
    text += piece;
    const bytes = Number(quotaLine.exec(text)?.[1]);
    if (Number.isFinite(bytes)) return bytes;
  }
  return undefined;
}
