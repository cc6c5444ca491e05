import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { orderConfirm, readClaims } from '@flotilla/registry';
import fc from 'fast-check';
import type { DirectoryMemory } from './brake.js';
import { local, type MemoryFolder, type TestHost, TestWorld, unitText } from './directories-harness.js';

const names = ['a.service', 'b.service', 'c.service', 'd.service', 'e.service', 'f.service'];
const machines = ['m1', 'm2', 'm3'];

const host = fc.nat(machines.length - 1);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write' as const), host, name: fc.nat(5), text: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('truncate' as const), host, name: fc.nat(5), text: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), host, name: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('break' as const), host, name: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('fill', 'restart', 'stop', 'start'), host }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('empty', 'unmount', 'mount', 'copy', 'putBack', 'age'), host }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('cut', 'heal', 'loseReply', 'loseRequest'), host }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(50, 400, 700, 2_000, 10_000) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface DiskCopy {
  readonly folder: ReturnType<MemoryFolder['copy']>;
  readonly memory: DirectoryMemory | undefined;
  readonly isEmptied: boolean;
}

/** What befalls some hosts with one directory, and which units somebody has meant to remove. */
class Story {
  readonly world = new TestWorld();
  readonly hosts: readonly TestHost[];
  /** Units of which a person has removed the file somewhere. */
  readonly removed = new Set<string>();
  /** Hosts whose files all went at once, and which may not have seen that yet. */
  readonly #emptied = new Set<TestHost>();
  readonly #copies = new Map<TestHost, DiskCopy>();
  #places = 0;

  constructor(hostCount: number) {
    this.hosts = machines.slice(0, hostCount).map((machine) => this.world.host(machine));
  }

  /** All hosts run, and the first one has all files. */
  async begin(): Promise<void> {
    for (const each of this.hosts) each.start();
    await this.act({ do: 'fill', host: 0 });
    await this.act({ do: 'wait', ms: 2_000 });
  }

  async act(action: Step): Promise<void> {
    if (action.do === 'wait') return this.world.settle(action.ms);
    const acting = this.hosts[action.host];
    if (acting === undefined) return;
    const { folder, store } = acting;
    if (action.do === 'write' || action.do === 'truncate' || action.do === 'fill') this.#refill(acting);
    if ('text' in action) return this.#write(action, folder);
    if ('name' in action) return this.#spoil(action, folder);
    switch (action.do) {
      case 'fill':
        for (const [at, name] of names.entries()) folder.write(name, unitText(at));
        return;
      case 'start':
        return acting.start();
      case 'stop':
        return acting.stop();
      case 'restart':
        return acting.restart();
      case 'cut':
        return store.cut();
      case 'heal':
        return store.heal();
      case 'loseReply':
        return store.loseNextReply();
      case 'loseRequest':
        return store.loseNextRequest();
      default:
        return this.#befall(action.do, acting);
    }
  }

  /** Whatever was cut off is back, whoever was stopped is started, and everything has come to rest. */
  async rest(): Promise<void> {
    for (const each of this.hosts) {
      each.store.heal();
      each.folder.isThere = true;
      each.start();
    }
    await this.world.settle(60_000);
  }

  /** Who puts half of the files into an empty directory before it was seen empty means that directory: see the brake. */
  #refill(acting: TestHost): void {
    if (!this.#emptied.delete(acting) || acting.disk.content?.held !== undefined) return;
    for (const name of [...names, 'g.service']) this.removed.add(name);
  }

  async #write({ do: how, name, text }: { do: string; name: number; text: number }, folder: MemoryFolder) {
    if (how === 'truncate') {
      folder.write(names[name] ?? '', unitText(text).trimEnd());
      await this.world.settle(700);
    }
    folder.write(names[name] ?? '', unitText(text));
  }

  #spoil({ do: how, name }: { do: string; name: number }, folder: MemoryFolder): void {
    const file = names[name] ?? '';
    if (how === 'break') folder.write(file, 'no unit\n');
    else {
      this.removed.add(file);
      folder.remove(file);
    }
  }

  /** What nobody means who wants units to go. */
  async #befall(what: string, acting: TestHost): Promise<void> {
    const { folder, disk } = acting;
    if (what === 'unmount') folder.isThere = false;
    if (what === 'mount') folder.isThere = true;
    if (what === 'empty') {
      folder.place = `${++this.#places}:2`;
      folder.clear();
      this.#emptied.add(acting);
    }
    const copy = { folder: folder.copy(), memory: disk.content, isEmptied: this.#emptied.has(acting) };
    if (what === 'age') {
      this.#refill(acting);
      this.#copies.set(acting, copy);
      folder.write('g.service', unitText(6));
      await this.world.settle(2_000);
    }
    if (what === 'copy') this.#copies.set(acting, copy);
    const kept = this.#copies.get(acting);
    if ((what !== 'putBack' && what !== 'age') || kept === undefined) return;
    await acting.stop();
    folder.restore(kept.folder);
    disk.content = kept.memory;
    if (kept.isEmptied) this.#emptied.add(acting);
    acting.start();
  }
}

async function heldOf(acting: TestHost): Promise<readonly string[]> {
  return (await acting.row())?.held?.units ?? [];
}

async function checkHost(acting: TestHost): Promise<readonly string[]> {
  const claims = await readClaims(acting.access, { owner: local, claimant: acting.machine });
  const held = await heldOf(acting);
  for (const name of acting.folder.names()) {
    const text = acting.folder.textOf(name);
    if (text.startsWith('no')) continue;
    const seen = [...claims].find(([claimed]) => claimed === name)?.[1].file;
    assert.equal(seen, createHash('sha256').update(text).digest('hex'), `${acting.machine} claims ${name} as it is`);
  }
  for (const name of claims.keys())
    assert.ok(
      acting.folder.names().includes(name) || held.includes(name),
      `${name} of ${acting.machine} is there or held`,
    );
  assert.equal((await acting.row())?.units, claims.size);
  return [...claims.keys()];
}

test('whatever happens, the units are those that are claimed, and only what somebody has removed is gone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(2), fc.array(step, { minLength: 5, maxLength: 30 }), async (more, steps) => {
      const story = new Story(1 + more);
      const { hosts, world } = story;
      const seen = new Set<string>();
      try {
        await story.begin();
        for (const action of steps) {
          await story.act(action);
          for (const [name, text] of Object.entries(await world.texts())) {
            seen.add(name);
            assert.match(text ?? '', /\n$/, `${name} was never half written`);
          }
        }
        await story.rest();
        const units = Object.keys(await world.texts());
        const claimed = (await Promise.all(hosts.map(checkHost))).flat();
        assert.deepEqual(units, [...new Set(claimed)].sort(), 'units are those that are claimed');
        for (const name of seen) assert.ok(units.includes(name) || story.removed.has(name), `${name} was not removed`);
        for (const each of hosts) each.calls = 0;
        await world.settle(100_000);
        assert.deepEqual(
          hosts.map(({ calls }) => calls),
          hosts.map(() => 0),
          'nothing is asked of the store at rest',
        );
        await orderConfirm(world.access, local);
        await world.settle(20_000);
        for (const each of hosts) assert.deepEqual(await heldOf(each), []);
      } finally {
        await world.close();
      }
    }),
    { numRuns: Math.ceil((fc.readConfigureGlobal().numRuns ?? 200) / 5) },
  );
});
