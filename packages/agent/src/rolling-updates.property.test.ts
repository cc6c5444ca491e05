import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoryFleet, type MemoryMember } from './memory-fleet.js';
import { service } from './memory-host.js';

/** Each run has three hosts, with directories on disk. */
const runs = Math.max(6, Math.round((fc.readConfigureGlobal().numRuns ?? 200) / 25));

const logs = service('logs');
const good = (number: number) =>
  `[Unit]\nDescription=${number}\n[Service]\nExecStart=/bin/sleep infinity\nExecStop=/bin/sleep 1\n[X-Fleet]\nGlobal=true\nUpdate=rolling\n`;
const bad = (number: number) => good(number).replace('/bin/sleep infinity', '/bin/false');

/** Something that happens to one host, or to the unit. */
const faults = fc.record({
  afterMs: fc.integer({ min: 0, max: 6000 }),
  at: fc.nat({ max: 2 }),
  kind: fc.constantFrom(
    ...(['restart', 'kill', 'start', 'power-off', 'cut', 'heal', 'lose-reply', 'lose-request'] as const),
    ...(['good', 'good', 'bad', 'stop', 'back'] as const),
  ),
});
type Fault = typeof faults extends fc.Arbitrary<infer T> ? T : never;

/** What is asked of the unit, and which hosts may have lost their lease, and with it their turn, in the middle of it. */
class Story {
  readonly fleet: MemoryFleet;
  readonly excused = new Set<MemoryMember>();
  /** Whether all copies are to run; while they are stopped and started, all of them may be down. */
  isSteady = true;
  #version = 0;
  #last = good(0);

  constructor(fleet: MemoryFleet) {
    this.fleet = fleet;
    fleet.onStep = () => this.check();
  }

  get text(): string {
    return good(this.#version);
  }

  async happen({ at, kind }: Fault): Promise<void> {
    const member = this.fleet.at(at);
    const { fleet } = this;
    switch (kind) {
      case 'restart':
        return await fleet.restart(member);
      case 'kill':
        this.excused.add(member);
        return await fleet.kill(member);
      case 'start':
        return member.agent === undefined ? await fleet.startAgent(member) : undefined;
      case 'power-off':
        this.excused.add(member);
        return await fleet.powerOff(member);
      case 'cut':
        this.excused.add(member);
        return member.store.cut();
      case 'heal':
        return member.store.heal();
      case 'lose-reply':
        return member.store.loseNextReply();
      case 'lose-request':
        return member.store.loseNextRequest();
      case 'good':
        return await this.put(good(++this.#version));
      case 'back':
        return await this.put(good(Math.max(0, this.#version - 1)));
      case 'bad':
        return await this.put(bad(this.#version));
      case 'stop':
        this.isSteady = false;
        this.#last = '';
        return await fleet.putGlobal(logs, this.text, { desiredState: 'loaded' });
    }
  }

  /** The same content again would be an order to restart, which takes no turns. */
  async put(text: string): Promise<void> {
    if (text !== this.#last) await this.fleet.putGlobal(logs, text);
    this.#last = text;
  }

  async check(): Promise<void> {
    if (!this.isSteady) return;
    const active = await this.fleet.active(logs);
    const down = active.filter((state, index) => state !== 'active' && !this.excused.has(this.fleet.at(index)));
    assert.ok(down.length <= 1, `${active} at once`);
  }

  async end(): Promise<void> {
    const { fleet } = this;
    for (const member of fleet.members) {
      member.store.heal();
      if (member.agent === undefined) await fleet.startAgent(member);
    }
    await this.put(good(++this.#version));
    await fleet.until(async () => {
      const [active, versions] = [await fleet.active(logs), await fleet.versions(logs, [this.text])];
      return active.every((state) => state === 'active') && versions.every((version) => version === 0);
    }, 'as asked everywhere');
    await fleet.until(async () => (await fleet.turns()).length === 0, 'free of turns');
    await fleet.advance(5000);
    assert.deepEqual(await fleet.turns(), []);
  }
}

test('whatever happens, no two copies are replaced at once, and all are in the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(faults, { minLength: 1, maxLength: 12 }), async (happenings) => {
      const fleet = await MemoryFleet.start(3);
      try {
        await fleet.putGlobal(logs, good(0));
        await fleet.until(async () => (await fleet.active(logs)).every((state) => state === 'active'), 'up');
        await fleet.advance(500);
        const story = new Story(fleet);
        for (const each of happenings) {
          await story.happen(each);
          await fleet.advance(each.afterMs);
        }
        await story.end();
      } finally {
        await fleet.close();
      }
    }),
    { numRuns: runs },
  );
});
