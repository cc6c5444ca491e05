import { systemClock } from '@flotilla/runtime';
import type { EtcdServer, Lab } from '../lab/index.js';
import type { Outage } from './explain.js';

const harms = {
  'member-kill': {
    begin: (member: EtcdServer) => member.signal('SIGKILL'),
    end: (member: EtcdServer) => member.start(),
  },
  'member-freeze': {
    begin: (member: EtcdServer) => member.signal('SIGSTOP'),
    end: (member: EtcdServer) => member.signal('SIGCONT'),
  },
  'member-cut': { begin: (member: EtcdServer) => member.cutOff('all'), end: (member: EtcdServer) => member.rejoin() },
  'member-part': {
    begin: (member: EtcdServer) => member.cutOff('fellows'),
    end: (member: EtcdServer) => member.rejoin(),
  },
};

/** The members of the store, and what is the matter with them: without a majority all hosts are out of contact. */
export class Members {
  readonly #lab: Lab;
  readonly #outages: Outage[];
  /** How many faults each harmed member has. */
  readonly #harmed = new Map<EtcdServer, number>();
  #outFromMs: number | undefined;

  constructor(lab: Lab, outages: Outage[]) {
    this.#lab = lab;
    this.#outages = outages;
  }

  /** @returns What ends it. @throws Error if something is the matter with that member already. */
  async harm(name: string, how: keyof typeof harms): Promise<() => Promise<void>> {
    const member = this.#lab.etcd[Number(name.replace(/\D/g, '')) - 1];
    if (member === undefined || this.#harmed.has(member)) throw new Error('there is no such member to harm');
    this.#note(member, 1);
    const fromMs = systemClock.now();
    await harms[how].begin(member);
    const served = this.#untilServed(fromMs);
    return async () => {
      await served;
      const againMs = systemClock.now();
      await harms[how].end(member);
      await this.#mend([member]);
      await this.#untilServed(againMs);
    };
  }

  /** Ends all members in good order that nothing is the matter with. @returns What starts them. */
  async stopAll(): Promise<() => Promise<void>> {
    const members = this.#lab.etcd.filter((member) => !this.#harmed.has(member));
    for (const member of members) this.#note(member, 1);
    await Promise.all(members.map((member) => member.signal('SIGTERM')));
    return async () => {
      for (const member of members) await member.start();
      await this.#mend(members);
    };
  }

  /** Members that lose one, or get one back, may have to agree on a leader first, and serve nobody meanwhile. */
  async #untilServed(fromMs: number): Promise<void> {
    const sound = this.#lab.etcd.filter((member) => !this.#harmed.has(member));
    // Without a majority nobody is served anyway.
    if (sound.length < this.#lab.etcd.length / 2) return;
    await Promise.all(sound.map((member) => member.untilHealthy())).catch(() => undefined);
    this.#noteOutage(fromMs);
  }

  #noteOutage(fromMs: number): void {
    const toMs = systemClock.now();
    for (const { name } of this.#lab.hosts)
      this.#outages.push({ host: name, kind: 'out', what: 'store', fromMs, toMs });
  }

  /** Whoever was harmed alone is well again as soon as it serves; a majority has to serve for any to do. */
  async #mend(members: readonly EtcdServer[]): Promise<void> {
    const isLast = this.#harmed.size === members.length;
    const others = this.#lab.etcd.filter((member) => !this.#harmed.has(member));
    if (isLast || others.length + members.length > this.#lab.etcd.length / 2)
      await Promise.all(members.map((member) => member.untilHealthy())).catch(() => undefined);
    for (const member of members) this.#note(member, -1);
  }

  #note(member: EtcdServer, change: 1 | -1): void {
    const count = (this.#harmed.get(member) ?? 0) + change;
    if (count > 0) this.#harmed.set(member, count);
    else this.#harmed.delete(member);
    const hasMajority = this.#harmed.size < this.#lab.etcd.length / 2;
    if (!hasMajority) this.#outFromMs ??= systemClock.now();
    else if (this.#outFromMs !== undefined) {
      this.#noteOutage(this.#outFromMs);
      this.#outFromMs = undefined;
    }
  }
}
