import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '@flotilla/runtime';
import { type Chance, createChance } from '../chaos/chance.js';
import { findLeader, isLong, labObstacle, type TestHost, untilMachines, waitUntil } from '../lab/index.js';
import { Checkout, runningVersions, untilDirectory, untilVersions, versioned, waysToSave } from './checkout.js';
import { Cluster } from './cluster.js';

const path = '/srv/units';
const rounds = isLong ? 16 : 4;
const seed = 20261123;

/** What a directory holds, and what is to run by that: what a good file said last counts while it is broken. */
class Content {
  readonly files = new Map<string, string>();
  readonly #versions = new Map<string, string>();
  #next = 1;

  /** Lines as `runningVersions` gives them, for so many hosts. */
  expected(hosts: number): string[] {
    const copies = (unit: string) => (unit.startsWith('test-g') ? hosts : 1);
    return [...this.#versions].flatMap(([unit, version]) => Array(copies(unit)).fill(`${unit} ${version}`));
  }

  put(file: string): void {
    const version = String(this.#next++);
    if (file.endsWith('.units')) {
      const units = [`test-${file[0]}1.service`, `test-${file[0]}2.service`];
      this.files.set(file, units.map((unit) => `# ---- ${unit}\n${versioned(version)}`).join(''));
      for (const unit of units) this.#versions.set(unit, version);
    } else if (file === 'test-w@.service') {
      this.files.set(file, versioned(version));
      this.#setInstances(version);
    } else {
      this.files.set(file, versioned(version, ...(file.startsWith('test-g') ? ['Global=true'] : [])));
      this.#versions.set(file, version);
    }
  }

  putInstances(names: readonly string[]): void {
    this.files.set('test-w@.instances', `# who works\n${names.join('\n')}\n`);
    const version = [...(this.files.get('test-w@.service') ?? '').matchAll(/VERSION=(\d+)/g)][0]?.[1];
    if (version !== undefined) this.#setInstances(version);
  }

  /** Half of a line, no unit file at all, nothing, or an option that there is not. */
  break(file: string, chance: Chance): void {
    const broken = ['[Servi', 'hello\n', '', '[Service]\nExecStart=/bin/true\n[X-Fleet]\nGlobl=true\n'];
    this.files.set(file, chance.pick(broken));
  }

  remove(file: string): void {
    this.files.delete(file);
    this.#versions.delete(file);
  }

  #setInstances(version: string): void {
    const listed = (this.files.get('test-w@.instances') ?? '').split('\n').filter((line) => /^\w+$/.test(line));
    for (const unit of [...this.#versions.keys()]) if (unit.startsWith('test-w@')) this.#versions.delete(unit);
    for (const name of listed) this.#versions.set(`test-w@${name}.service`, version);
  }
}

describe('a directory on two of three hosts', { skip: labObstacle() }, () => {
  let cluster: Cluster;
  let copies: Checkout[];
  const content = new Content();
  const chance = createChance(seed);
  /** Files that a copy may have from before. */
  const everSeen = new Set<string>();

  before(async () => {
    cluster = await Cluster.start('directories', { config: { unit_dirs: `web:${path}` } });
    copies = cluster.lab.hosts.slice(0, 2).map((host) => new Checkout(host, path));
  });
  after(() => cluster.close());

  async function pull(copy: Checkout): Promise<void> {
    await copy.pull(content.files, everSeen, () => chance.pick(waysToSave));
    for (const file of content.files.keys()) everSeen.add(file);
  }

  /** Waits until what runs on the hosts is the directory's content, no more and no less. */
  async function untilFollowed(what: string): Promise<void> {
    const { hosts } = cluster.lab;
    const up = hosts.filter(({ isUp }) => isUp).length;
    await untilVersions(hosts, content.expected(up), { what, onTimeout: () => cluster.details() });
  }

  /** When units were removed, on the monotonic clock. */
  const removals: number[] = [];

  /** Waits until the brake allows more removals: it counts those of a minute. */
  async function untilRemovable(): Promise<void> {
    const sinceMs = () => systemClock.monotonicMs() - 65_000;
    await waitUntil({
      what: 'few units were removed within a minute',
      read: async () => removals.filter((atMs) => atMs > sinceMs()).length,
      until: (lately) => lately <= 8,
      timeoutMs: 120_000,
    });
  }

  /** Some changes at once. */
  function change(): void {
    const before = content.expected(1);
    const plain = [...content.files.keys()].filter((file) => /^test-[a-f]\d*\.service$/.test(file));
    const [edited = '', broken = '', renamed = '', removed = ''] = chance
      .some(plain, 4)
      .sort(() => chance.between(-1, 1));
    content.put(edited);
    content.break(broken, chance);
    content.remove(renamed);
    content.put(`test-f${content.files.size}${chance.below(1000)}.service`);
    if (chance.oneIn(2)) content.remove(removed);
    else content.put('more.units');
    content.put(`test-d${chance.below(1000)}.service`);
    if (chance.oneIn(2)) content.put('test-w@.service');
    else content.putInstances(chance.some(['one', 'two', 'three', 'four'], 3));
    if (chance.oneIn(3)) content.put('test-g.service');
    const units = new Set(content.expected(1).map((line) => line.split(' ')[0]));
    for (const line of before) if (!units.has(line.split(' ')[0])) removals.push(systemClock.monotonicMs());
  }

  /** Something bad, while files change. @returns What makes it good again. */
  async function harm(round: number): Promise<() => Promise<void>> {
    const [, second] = copies;
    assert.ok(second);
    const kill = (host: TestHost) => host.mustExec(['systemctl', 'kill', '--signal=KILL', 'fleet.service']);
    const leader = (await findLeader(cluster.lab))?.host ?? cluster.anyHost;
    switch (round % 4) {
      case 0: {
        for (const { host } of copies) await kill(host);
        return async () => undefined;
      }
      case 1: {
        await leader.powerCut();
        return () => leader.boot();
      }
      case 2: {
        await kill(leader);
        await second.host.cutNetwork();
        return () => second.host.healNetwork();
      }
      default: {
        await second.host.powerCut();
        return () => second.host.boot();
      }
    }
  }

  it('is dropped in, and all of it runs', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e', 'e2', 'e3', 'e4', 'e5', 'e6', 'g'])
      content.put(`test-${name}.service`);
    content.put('test-w@.service');
    content.putInstances(['one', 'two']);
    content.put('more.units');
    for (const copy of copies) {
      await copy.make();
      await pull(copy);
      // None of these is a unit file.
      await copy.save('.test-dot.service', versioned('0'));
      await copy.save('test-backup.service~', versioned('0'));
      await copy.save('README.md', 'what runs here');
    }
    await untilFollowed('what was dropped in runs');
  });

  for (let round = 0; round < rounds; round++) {
    it(`is edited, broken, renamed and removed while hosts and leaders die (${round + 1})`, async () => {
      await untilRemovable();
      const mend = await harm(round);
      change();
      for (const copy of chance.some(copies, 2)) await pull(copy);
      await mend();
      for (const host of cluster.lab.hosts) await untilMachines(host, cluster.lab.hosts, 60_000);
      await untilFollowed(`round ${round + 1} of seed ${seed}`);
      const broken = [...content.files].filter(([, text]) => !/VERSION=\d+|who works/.test(text)).length;
      for (const { host } of copies) {
        const asked = cluster.anyHost;
        const until = ({ problemCount }: { readonly problemCount: number }) => problemCount === broken;
        await untilDirectory('web', { asked, on: host, what: `${broken} broken files`, until });
      }
    });
  }

  it('has exactly its content running when all is mended', async () => {
    for (const [file, text] of content.files) if (!/VERSION=\d+|who works/.test(text)) content.put(file);
    for (const copy of copies) await pull(copy);
    await untilFollowed('all is mended');
    const listed = new Set(await cluster.unitFiles());
    const running = (await runningVersions(cluster.lab.hosts)).map((line) => line.split(' ')[0] ?? '');
    assert.deepEqual([...listed].sort(), [...new Set([...running, 'test-w@.service'])].sort());
  });
});
