import { spawn } from 'node:child_process';
import { systemClock } from '@flotilla/runtime';
import { type Lab, waitUntil } from '../lab/index.js';

/** A key that was put, or deleted: then without value. */
export interface EtcdEvent {
  /** On the kernel's monotonic clock, which the hosts share. */
  readonly atMs: number;
  /** Below the cluster's prefix. */
  readonly key: string;
  readonly value: string | undefined;
}

const prefix = '/_coreos.com/fleet/';

/** What one line of `etcdctl watch --write-out=json` says. */
interface WatchLine {
  readonly Events?: readonly {
    readonly type?: number;
    readonly kv: { readonly key: string; readonly value?: string };
  }[];
}

/** Hears from etcd what is written, as the daemons do: as soon as it is. */
export class EtcdEvents {
  readonly #program: ReturnType<typeof spawn>;
  #events: EtcdEvent[] = [];
  #rest = '';

  constructor(lab: Lab) {
    const etcdctl = ['etcdctl', '--endpoints', lab.etcdUrls, 'watch', '--prefix', prefix, '--write-out=json'];
    this.#program = spawn('nsenter', [`--net=${lab.network}`, '--', ...etcdctl], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#program.stdout?.on('data', (chunk: Buffer) => this.#take(chunk.toString()));
  }

  /** Forgets what was heard. */
  clear(): void {
    this.#events = [];
  }

  find(matches: (event: EtcdEvent) => boolean): EtcdEvent | undefined {
    return this.#events.find(matches);
  }

  /** The first event that matches, among those since `clear`. */
  async until(what: string, matches: (event: EtcdEvent) => boolean): Promise<EtcdEvent> {
    const event = await waitUntil({
      what,
      read: async () => this.find(matches),
      until: (found) => found !== undefined,
      intervalMs: 5,
    });
    if (event === undefined) throw new Error('unreachable');
    return event;
  }

  close(): void {
    this.#program.kill();
  }

  #take(text: string): void {
    const atMs = systemClock.monotonicMs();
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const { Events = [] }: WatchLine = JSON.parse(line);
      for (const { kv } of Events) {
        const decode = (base64: string) => Buffer.from(base64, 'base64').toString();
        const value = kv.value === undefined ? undefined : decode(kv.value);
        this.#events.push({ atMs, key: decode(kv.key).slice(prefix.length), value });
      }
    }
  }
}
