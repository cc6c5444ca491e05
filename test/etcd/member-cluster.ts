import type { EtcdPlace } from './etcd.js';
import { TestEtcd } from './etcd.js';
import { isLeader } from './gateway.js';
import type { MemberNetwork } from './member-network.js';

/** What may befall a member. `parted`: from its fellows only; clients reach it. */
export const memberFaults = ['killed', 'frozen', 'cut off', 'parted'] as const;
export type MemberFault = (typeof memberFaults)[number];

/** Three members, each in a network namespace of its own, one of which can be harmed at a time. */
export class MemberCluster {
  readonly #network: MemberNetwork;
  readonly members: readonly TestEtcd[];
  #harmed: { readonly member: TestEtcd; readonly fault: MemberFault } | undefined;

  private constructor(network: MemberNetwork, members: readonly TestEtcd[]) {
    this.#network = network;
    this.members = members;
  }

  static async start(network: MemberNetwork): Promise<MemberCluster> {
    const places: readonly EtcdPlace[] = network.places;
    return new MemberCluster(network, await TestEtcd.startAt(places));
  }

  get urls(): string[] {
    return this.members.map(({ url }) => url);
  }

  /** Those that nothing has befallen. */
  get sound(): readonly TestEtcd[] {
    return this.members.filter((member) => member !== this.#harmed?.member);
  }

  async find(role: 'leader' | 'follower'): Promise<TestEtcd> {
    for (const member of this.members) if ((await isLeader(member.url)) === (role === 'leader')) return member;
    throw new Error(`there is no ${role}`);
  }

  /** Lasts until {@link mend}. */
  async harm(member: TestEtcd, fault: MemberFault): Promise<void> {
    this.#harmed = { member, fault };
    const at = this.members.indexOf(member);
    switch (fault) {
      case 'killed':
        return member.stop('SIGKILL');
      case 'frozen':
        return member.signal('SIGSTOP');
      case 'cut off':
        return this.#network.setCable(at, 'down');
      case 'parted':
        return this.#network.setFellows(at, 'parted');
    }
  }

  /** Ends the fault, and waits until all members are well. */
  async mend(): Promise<void> {
    if (this.#harmed === undefined) return;
    const { member, fault } = this.#harmed;
    const at = this.members.indexOf(member);
    if (fault === 'killed') member.launch();
    else if (fault === 'frozen') member.signal('SIGCONT');
    else if (fault === 'cut off') await this.#network.setCable(at, 'up');
    else await this.#network.setFellows(at, 'joined');
    this.#harmed = undefined;
    await Promise.all(this.members.map((each) => each.untilHealthy()));
  }

  /** Begins anew with no data: the same cluster to its clients, or another one. The harmed member stays harmed. */
  async replace(by: { readonly isForeign: boolean }): Promise<void> {
    await Promise.all(this.members.map((member) => member.erase(by)));
    await this.#launch();
  }

  /** Keeps a copy of all members' data; they are down for a moment. */
  async backup(): Promise<void> {
    await Promise.all(this.members.map((member) => member.copy('backup')));
    await this.#launch();
  }

  /** Goes on from the last copies. */
  async restore(): Promise<void> {
    await Promise.all(this.members.map((member) => member.copy('restore')));
    await this.#launch();
  }

  async #launch(): Promise<void> {
    for (const member of this.members) if (member !== this.#harmed?.member) member.launch();
    if (this.#harmed !== undefined && this.#harmed.fault !== 'killed') {
      this.#harmed.member.launch();
      if (this.#harmed.fault === 'frozen') this.#harmed.member.signal('SIGSTOP');
    }
    await Promise.all(this.sound.map((member) => member.untilHealthy()));
  }

  /** Ends all members, and mends their network. */
  async remove(): Promise<void> {
    await Promise.all(this.members.map((member) => member.remove()));
    const { member, fault } = this.#harmed ?? {};
    if (member === undefined) return;
    const at = this.members.indexOf(member);
    if (fault === 'cut off') await this.#network.setCable(at, 'up');
    if (fault === 'parted') await this.#network.setFellows(at, 'joined');
  }
}
