import type { Clock } from '@flotilla/runtime';

/**
 * Which of several hosts is asked: the one that answered last, for as long as it does, then the next one. One host at a
 * time costs one connection, and one that fell silent costs one deadline, not one every now and then.
 */
export class HostRing {
  /** In an order of this client's own, so that not all clients go from one host to the same next. */
  readonly #hosts: readonly string[];
  #at = 0;

  constructor(hosts: readonly string[], clock: Clock) {
    this.#hosts = hosts
      .map((host) => ({ host, order: clock.random() }))
      .sort((one, two) => one.order - two.order)
      .map(({ host }) => host);
  }

  get size(): number {
    return this.#hosts.length;
  }

  /** A host that is not among `tried`, if there is one. */
  choose(tried: ReadonlySet<string> = new Set()): string {
    const ring = [...this.#hosts.slice(this.#at), ...this.#hosts.slice(0, this.#at)];
    return ring.find((host) => !tried.has(host)) ?? ring[0] ?? '';
  }

  answered(host: string): void {
    this.#at = Math.max(this.#hosts.indexOf(host), 0);
  }

  /** Others may have found out before, and gone on. */
  failed(host: string): void {
    if (this.#hosts[this.#at] === host) this.#at = (this.#at + 1) % this.#hosts.length;
  }
}
