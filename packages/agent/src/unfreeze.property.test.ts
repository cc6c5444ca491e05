import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LaunchState } from '@flotilla/cluster';
import { decodeRecord, encodeRecord, keys, orderUnfreeze, ranges, type UnitRecord } from '@flotilla/registry';
import type { UnitName } from '@flotilla/unit';
import fc from 'fast-check';
import { MemoryHost, machine, service, sleeper } from './memory-host.js';

/** Each run has a host of its own, with two directories on disk. */
const runs = 25;

const texts = [sleeper, '[Service]\nType=oneshot\nExecStart=/bin/true\n', '[Service]\nExecStart=/bin/false\n'];

const units = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd').map(service),
    text: fc.constantFrom(...texts),
    desiredState: fc.constantFrom<LaunchState>('loaded', 'launched'),
    order: fc.nat({ max: 5 }),
    /** The order that the store has, if it has the unit. */
    storedOrder: fc.option(fc.nat({ max: 9 }), { nil: undefined }),
  }),
  { selector: ({ name }) => name, minLength: 1 },
);

/** Places all units of the store here, as they say. */
async function placeAll(host: MemoryHost): Promise<void> {
  for (const kv of (await host.engine.range(ranges.units)).kvs) {
    const { hash, file, desiredState, order } = decodeRecord<UnitRecord>(kv.key, kv.value);
    const name = kv.key.slice('units/'.length) as UnitName;
    const scheduled = { hash, file, desiredState, order, uid: kv.createRevision, isLeaving: false };
    await host.write(
      { kind: 'put', key: keys.placement(name), value: encodeRecord({ machine: machine.id }) },
      { kind: 'put', key: keys.schedule(machine.id, name), value: encodeRecord(scheduled) },
    );
  }
}

test('adopting starts and stops nothing, whatever ran and whatever of it the store has', async () => {
  await fc.assert(
    fc.asyncProperty(units, fc.nat({ max: 100 }), fc.boolean(), async (drawn, writes, restarts) => {
      const host = await MemoryHost.start();
      try {
        for (const { name, text, ...change } of drawn) await host.schedule(name, text, change);
        await host.clock.advance(5_000);
        host.actions.length = 0;
        host.store.wipe();
        await host.setUpCluster('two');
        for (let count = 0; count < writes; count++) await host.setUpCluster('two');
        for (const { name, text, desiredState, storedOrder } of drawn) {
          if (storedOrder === undefined) continue;
          const record = { ...(await host.putFile(text)), desiredState, order: storedOrder, isGlobal: false };
          await host.write({ kind: 'put', key: keys.unit(name), value: encodeRecord(record) });
        }
        await placeAll(host);
        await host.until(() => host.agent.findFreezeReason() !== undefined, 'frozen');
        if (restarts) await host.restartAgent();
        await host.until(
          async () => (await orderUnfreeze(host.engine, machine.id, 'adopt')) === 'ordered',
          'told to go on',
        );
        await host.until(() => host.agent.findFreezeReason() === undefined, 'frozen no longer');
        await placeAll(host);
        await host.clock.advance(10_000);
        assert.deepEqual(host.actions, []);
        for (const { name } of drawn) assert.notEqual(await host.findRow(name), undefined);
      } finally {
        await host.close();
      }
    }),
    { numRuns: runs },
  );
});
