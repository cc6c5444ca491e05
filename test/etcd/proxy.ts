import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { systemClock } from '@flotilla/runtime';
import type { TestEtcd } from './etcd.js';

type Upstream = Pick<TestEtcd, 'address' | 'clientPort'>;

/** A TCP hop to etcd that tests can harm. */
export class TestProxy {
  readonly #server: Server;
  readonly #upstream: Upstream;
  /** How many connections have come so far. */
  accepted = 0;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #isCut = false;
  #swallowsAnswers = false;
  #delayMs = 0;

  private constructor(upstream: Upstream) {
    this.#upstream = upstream;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** Leads to a server, such as a `TestEtcd`. */
  static async start(upstream: Upstream): Promise<TestProxy> {
    const proxy = new TestProxy(upstream);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  /** Whether anyone is connected. */
  get isUsed(): boolean {
    return this.#pairs.size > 0;
  }

  /** Breaks what is open and lets nothing new through. */
  cut(): void {
    this.#isCut = true;
    this.#breakAll();
  }

  /** Lets requests through, and no answers, on the connections there are and the ones to come. */
  swallowAnswers(): void {
    this.#swallowsAnswers = true;
  }

  /** Holds back all that moves on the connections there are, without closing them; new ones work. */
  stall(): void {
    for (const [client, upstream] of this.#pairs) {
      client.removeAllListeners('data').pause();
      upstream.removeAllListeners('data').pause();
    }
  }

  /** Lets each piece of data arrive so much later. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Ends {@link cut}, {@link swallowAnswers} and {@link delay}; connections that were harmed are broken. */
  heal(): void {
    if (this.#swallowsAnswers) this.#breakAll();
    this.#isCut = false;
    this.#swallowsAnswers = false;
    this.#delayMs = 0;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    if (this.#isCut) {
      client.resetAndDestroy();
      return;
    }
    this.accepted++;
    const upstream = connect(this.#upstream.clientPort, this.#upstream.address);
    const pair = [client, upstream] as const;
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of pair) socket.setNoDelay(true).on('error', end).on('close', end);
    this.#pass(client, upstream, () => true);
    this.#pass(upstream, client, () => !this.#swallowsAnswers);
  }

  #pass(from: Socket, to: Socket, isLetThrough: () => boolean): void {
    from.on('data', (chunk) => {
      if (!isLetThrough()) return;
      if (this.#delayMs > 0) systemClock.setTimer(this.#delayMs, () => to.write(chunk));
      else if (!to.write(chunk)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    });
  }

  #breakAll(): void {
    for (const [client, upstream] of this.#pairs) {
      client.resetAndDestroy();
      upstream.destroy();
    }
    this.#pairs.clear();
  }
}
