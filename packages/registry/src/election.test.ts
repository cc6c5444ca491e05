import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineId } from '@flotilla/cluster';
import { silentLogger, TestClock } from '@flotilla/runtime';
import fc from 'fast-check';
import { Election, type Leadership } from './election.js';
import { keys } from './keys.js';
import { MemoryStore } from './memory-store.js';

const ttlSeconds = 10;

interface Candidate {
  readonly id: MachineId;
  readonly store: MemoryStore;
  readonly election: Election;
  readonly terms: Leadership[];
  leads(): boolean;
}

function campaign(store: MemoryStore, clock: TestClock, name: string): Candidate {
  const id = name as MachineId;
  const terms: Leadership[] = [];
  const election = new Election({
    store,
    clock,
    log: silentLogger,
    record: { machine: id, address: '' },
    ttlSeconds,
    onElected: (leadership) => terms.push(leadership),
  });
  election.start();
  return { id, store, election, terms, leads: () => terms.at(-1)?.isFresh() === true };
}

/** Three candidates on one store, each behind a connection of its own. */
function threeCandidates() {
  const clock = new TestClock();
  const store = new MemoryStore({ clock });
  const candidates = ['a', 'b', 'c'].map((name) => campaign(store.client(), clock, name));
  const leaders = () => candidates.filter((candidate) => candidate.leads());
  const close = () => Promise.all(candidates.map(({ election }) => election.close({ resign: false })));
  return { clock, store, candidates, leaders, close };
}

/** Writes as a leader does: only if the leader key is still the one that was won. */
async function fencedWrite(candidate: Candidate, term: Leadership | undefined, value: string): Promise<boolean> {
  if (term === undefined) return false;
  const result = await candidate.store.transact({
    compares: [{ key: keys.leader, on: 'create-revision', equals: term.fence }],
    success: [{ kind: 'put', key: 'written', value: new TextEncoder().encode(value) }],
  });
  return result.succeeded;
}

test('one of three becomes the leader, and stays it', async () => {
  const { clock, leaders, close } = threeCandidates();
  await clock.advance(1_000);
  const [first] = leaders();
  assert.equal(leaders().length, 1);
  await clock.advance(120_000);
  assert.deepEqual(leaders(), [first]);
  assert.equal(first?.terms.length, 1);
  await close();
});

test('a leader that resigns is followed at once', async () => {
  const { clock, candidates, leaders, close } = threeCandidates();
  await clock.advance(1_000);
  const [first] = leaders();
  assert.ok(first);
  await first.election.close({ resign: true });
  await clock.advance(200);
  assert.equal(leaders().length, 1);
  assert.equal(first.terms.at(-1)?.ended.aborted, true);
  assert.equal(candidates.filter((candidate) => candidate.terms.length > 0).length, 2);
  await close();
});

test('a leader that is cut off stops leading before another one starts, and its writes are refused', async () => {
  const { clock, leaders, close } = threeCandidates();
  await clock.advance(1_000);
  const [first] = leaders();
  assert.ok(first);
  first.store.cut();
  let isOverlap = false;
  for (let waited = 0; waited < 15_000; waited += 100) {
    await clock.advance(100);
    isOverlap ||= leaders().length > 1;
  }
  assert.equal(isOverlap, false);
  const [second] = leaders();
  assert.ok(second && second !== first);
  first.store.heal();
  assert.equal(await fencedWrite(first, first.terms.at(-1), 'old'), false);
  assert.equal(await fencedWrite(second, second.terms.at(-1), 'new'), true);
  await clock.advance(30_000);
  assert.deepEqual(leaders(), [second]);
  await close();
});

test('a leader whose store was away makes room for the next one as soon as it is back', async () => {
  const clock = new TestClock();
  const store = new MemoryStore({ clock });
  const candidate = campaign(store, clock, 'a');
  await clock.advance(1_000);
  assert.equal(candidate.leads(), true);
  // Past the fence, before the lease ends; an etcd that was down lets it begin anew.
  store.cut();
  await clock.advance(7_500);
  assert.equal(candidate.leads(), false);
  store.heal();
  await clock.advance(1_300);
  assert.equal(candidate.leads(), true);
  assert.equal(candidate.terms.length, 2);
  await candidate.election.close({ resign: true });
});

test('a campaign whose answer is lost is found won', async () => {
  const clock = new TestClock();
  const store = new MemoryStore({ clock });
  store.loseNextReply();
  const candidate = campaign(store, clock, 'a');
  await clock.advance(30_000);
  assert.equal(candidate.leads(), true);
  assert.equal(candidate.terms.length, 1);
  await candidate.election.close({ resign: true });
});

test('a leader whose key is deleted by hand stops, and is elected anew', async () => {
  const clock = new TestClock();
  const store = new MemoryStore({ clock });
  const candidate = campaign(store, clock, 'a');
  await clock.advance(1_000);
  await store.transact({ success: [{ kind: 'delete', from: keys.leader }] });
  await clock.advance(1_000);
  assert.equal(candidate.terms[0]?.ended.aborted, true);
  assert.equal(candidate.terms.length, 2);
  assert.equal(candidate.leads(), true);
  await candidate.election.close({ resign: true });
});

test('an idle election asks nothing of the store but the leader’s keepalives', async () => {
  const { clock, store, close } = threeCandidates();
  await clock.advance(5_000);
  const before = store.revision;
  await clock.advance(300_000);
  assert.equal(store.revision, before);
  await close();
});

test('a readable leader record is told to everyone, an unreadable one harms nobody', async () => {
  const clock = new TestClock();
  const store = new MemoryStore({ clock });
  await store.transact({ success: [{ kind: 'put', key: keys.leader, value: new TextEncoder().encode('{') }] });
  const candidate = campaign(store, clock, 'a');
  await clock.advance(60_000);
  assert.equal(candidate.leads(), false);
  await candidate.election.close({ resign: false });
});

test('over random outages and lost replies two candidates never both write, and in the end one leads', async () => {
  const who = fc.integer({ min: 0, max: 2 });
  const step = fc.oneof(
    fc.record({ do: fc.constantFrom('cut' as const, 'heal' as const, 'loseNextReply' as const), who }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 12_000 }) }),
    fc.record({ do: fc.constant('freeze' as const), ms: fc.integer({ min: 1, max: 12_000 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const { clock, candidates, leaders, close } = threeCandidates();
      for (const action of steps) {
        if (action.do === 'wait') await clock.advance(action.ms);
        else if (action.do === 'freeze') clock.freeze(action.ms);
        else candidates[action.who]?.store[action.do]();
        const fences = candidates.filter(({ leads }) => leads()).map(({ terms }) => terms.at(-1)?.fence);
        assert.ok(new Set(fences).size <= 1, 'two candidates believe that they lead');
      }
      for (const { store } of candidates) store.heal();
      await clock.advance(3 * ttlSeconds * 1000);
      assert.equal(leaders().length, 1);
      await close();
    }),
  );
});
