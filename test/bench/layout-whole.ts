import { keys, type LeaseId, type Store } from '@flotilla/registry';
import { systemClock } from '@flotilla/runtime';
import { compactEtcd, databaseBytes } from '../etcd/gateway.js';
import type { LayoutBench } from './layout.js';
import { agentRanges, CountingFollower, leaderRanges } from './layout-followers.js';
import { place, register, report, submit } from './layout-phases.js';
import { type LayoutUnit, layoutMachines, placementOf, scheduleOf, stateOf } from './layout-units.js';
import { cpu, measure, number, perSecond, seconds } from './stopwatch.js';

/** The whole life of the units, from submit to running, under the eyes of a leader and an agent. */
export async function benchWhole(bench: LayoutBench, units: readonly LayoutUnit[]): Promise<void> {
  await new WholeBench(bench, units).run();
}

class WholeBench {
  readonly #bench: LayoutBench;
  readonly #units: readonly LayoutUnit[];
  readonly #writer: Store;
  readonly #watcher: Store;
  readonly #leader: CountingFollower;
  readonly #agent: CountingFollower;

  constructor(bench: LayoutBench, units: readonly LayoutUnit[]) {
    this.#bench = bench;
    this.#units = units;
    this.#writer = bench.open('whole');
    this.#watcher = bench.open('whole');
    this.#leader = new CountingFollower(this.#watcher, leaderRanges);
    this.#agent = new CountingFollower(this.#watcher, agentRanges(thisMachine));
  }

  async run(): Promise<void> {
    const { print } = this.#bench;
    const units = this.#units;
    print(`layout: ${number(units.length)} units, ${layoutMachines.length} machines`);
    await Promise.all([this.#leader.synced, this.#agent.synced]);
    const leases = await register(this.#writer);
    await this.#leader.reach(layoutMachines.length);
    let submitted: Awaited<ReturnType<typeof submit>> = { uids: new Map(), puts: 0 };
    await this.#phase('submit', async () => {
      submitted = await submit(this.#writer, units);
      return { puts: submitted.puts, events: submitted.puts };
    });
    const { uids } = submitted;
    await this.#phase('place', async () => {
      const refused = await place(this.#writer, { units, uids, writes: 'placement and schedule' });
      if (refused > 0) print(`  ${refused} units were refused`);
      return { puts: 2 * units.length, events: units.length };
    });
    await this.#phase('report', async () => {
      await report(this.#writer, { units, uids, leases });
      return { puts: units.length, events: 0 };
    });
    const own = units.filter(({ machine }) => machine === thisMachine).length;
    await this.#agent.reach(own);
    print(`  one agent: ${number(this.#agent.events)} events for its ${number(own)} units`);
    this.#printSizes(uids);
    await this.#snapshot();
    await this.#loseMachine(leases[0] ?? '', own);
    await this.#compact();
    this.#leader.close();
    this.#agent.close();
  }

  /** Runs one kind of writes, and waits until the leader has seen them. */
  async #phase(name: string, work: () => Promise<{ puts: number; events: number }>): Promise<void> {
    const { etcd, print } = this.#bench;
    const bytesBefore = await databaseBytes(etcd.url);
    const eventsBefore = this.#leader.events;
    let written = { puts: 0, events: 0 };
    const writing = await measure(etcd, async () => {
      written = await work();
    });
    const writtenMs = systemClock.monotonicMs();
    await this.#leader.reach(eventsBefore + written.events);
    const lagMs = written.events === 0 ? 0 : Math.max(0, this.#leader.lastMs - writtenMs);
    const bytes = ((await databaseBytes(etcd.url)) - bytesBefore) / this.#units.length;
    const seen =
      written.events === 0
        ? 'nothing for the leader to see'
        : `leader saw ${perSecond(written.events, writing.ms + lagMs)} events, the last ${number(lagMs)} ms late`;
    print(
      `  ${name}: ${number(written.puts)} puts in ${seconds(writing.ms)} = ${perSecond(written.puts, writing.ms)} puts; ` +
        `${seen}; ${number(bytes)} bytes a unit in etcd; ${cpu(writing, written.puts)} a put`,
    );
  }

  #printSizes(uids: ReadonlyMap<string, number>): void {
    const unit = this.#units[0];
    if (unit === undefined) return;
    const uid = uids.get(unit.name) ?? 0;
    const record = Buffer.from(JSON.stringify(unit.unit));
    const sizes: [string, string, Uint8Array][] = [
      ['unit file', keys.unitFile(unit.file.sha256), unit.file.bytes],
      ['unit', keys.unit(unit.name), record],
      ['placement', keys.placement(unit.name), placementOf(unit)],
      ['schedule', keys.schedule(unit.machine, unit.name), scheduleOf(unit, uid)],
      ['state', keys.state(unit.name, unit.machine), stateOf(unit, uid)],
    ];
    const texts = sizes.map(([name, key, value]) => `${name} ${key.length}+${value.length}`);
    this.#bench.print(`  record sizes, key+value bytes: ${texts.join(', ')}`);
  }

  /** A new leader reads everything. */
  async #snapshot(): Promise<void> {
    const { etcd, print } = this.#bench;
    let keysRead = 0;
    const reading = await measure(etcd, async () => {
      const follower = new CountingFollower(this.#watcher, leaderRanges);
      await follower.synced;
      keysRead = follower.keys;
      follower.close();
    });
    print(
      `  snapshot of the leader's ranges: ${number(keysRead)} keys in ${seconds(reading.ms)} = ` +
        `${perSecond(keysRead, reading.ms)}; ${cpu(reading, keysRead)} a key`,
    );
  }

  /** A machine's lease ends: all its states go in one revision. */
  async #loseMachine(lease: LeaseId, own: number): Promise<void> {
    const { etcd, print } = this.#bench;
    const before = this.#leader.events;
    const losing = await measure(etcd, async () => {
      await this.#writer.revokeLease(lease);
      await this.#leader.reach(before + own + 1);
    });
    print(`  a machine's lease ends: ${number(own + 1)} deletes seen by the leader after ${number(losing.ms)} ms`);
  }

  async #compact(): Promise<void> {
    const { etcd, print } = this.#bench;
    const { revision } = await this.#writer.range({ from: keys.leader });
    const compacting = await measure(etcd, () => compactEtcd(etcd.url, revision));
    const bytes = (await databaseBytes(etcd.url)) / this.#units.length;
    print(`  compaction: ${number(compacting.ms)} ms; ${number(bytes)} bytes a unit in use afterwards, in all`);
  }
}

const thisMachine = layoutMachines[1] ?? layoutMachines[0] ?? fail();

function fail(): never {
  throw new Error('there are no machines');
}
