import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MachineId, parseMachineId } from '@flotilla/cluster';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { parseUnitName, type UnitHash } from '@flotilla/unit';
import fc from 'fast-check';
import { keys, ranges } from './keys.js';
import { MemoryStore } from './memory-store.js';
import { decodeRecord, encodeRecord, type RestartRecord, type StateRecord, type UnitRecord } from './records.js';
import { putUnit } from './unit-editor.js';
import { restartUnit } from './unit-restart.js';

const all = parseUnitName('all.service');
const machines = ['1', '2', '3'].map((digit) => parseMachineId(digit.repeat(32)));
const contentOf = (digit: number) => ({
  file: Buffer.from(String(digit)),
  hash: String(digit).repeat(40) as UnitHash,
  isGlobal: true,
  isVerbatim: true,
});

/** What a person asks for, or what a machine's agent does: carry out all that is ordered, and say so, or not yet. */
const acts = fc.oneof(
  fc.record({ kind: fc.constant('restart-one'), machine: fc.constantFrom(...machines) } as const),
  fc.record({ kind: fc.constant('restart-all') } as const),
  fc.record({ kind: fc.constant('stop-and-start') } as const),
  fc.record({ kind: fc.constant('replace'), digit: fc.integer({ min: 1, max: 3 }) } as const),
  fc.record({ kind: fc.constant('carry-out'), machine: fc.constantFrom(...machines), isTold: fc.boolean() } as const),
);

test('whatever was ordered of a global unit, on one machine or on all, the next order is larger where it is meant', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(acts, { maxLength: 12 }), async (sequence) => {
      const store = new MemoryStore({ clock: new TestClock() });
      const access = { store, log: silentLogger };
      const put = (key: string, record: object) =>
        store.transact({ success: [{ kind: 'put', key, value: encodeRecord(record) }] });
      const find = async <T extends object>(key: string): Promise<T | undefined> => {
        const [kv] = (await store.range({ from: key })).kvs;
        return kv && decodeRecord<T>(key, kv.value);
      };
      await putUnit(access, all, { content: contentOf(0), desiredState: 'launched' });
      const uid = (await store.range({ from: keys.unit(all) })).kvs[0]?.createRevision ?? 0;
      const state = { load: 'loaded', active: 'active', sub: '', hash: '0'.repeat(40) as UnitHash, since: 0 };
      const row: StateRecord = { ...state, uid, order: 1, isLaunched: true };
      const done = new Map<MachineId, number>();
      for (const machine of machines) {
        await put(keys.machine(machine), { address: '' });
        await put(keys.state(all, machine), row);
        done.set(machine, 1);
      }
      const orderOn = async (machine: MachineId) => {
        const own = await find<RestartRecord>(keys.restart(machine, all));
        return Math.max((await find<UnitRecord>(keys.unit(all)))?.order ?? 0, own?.uid === uid ? own.order : 0);
      };
      for (const act of sequence) {
        if (act.kind === 'carry-out') {
          const order = await orderOn(act.machine);
          done.set(act.machine, order);
          if (act.isTold) await put(keys.state(all, act.machine), { ...row, order });
          await store.transact({ success: [{ kind: 'delete', ...ranges.restartsOf(act.machine) }] });
          continue;
        }
        const before = new Map<MachineId, number>();
        for (const machine of machines) before.set(machine, await orderOn(machine));
        if (act.kind === 'restart-one') assert.equal((await restartUnit(access, all, act.machine)).kind, 'ordered');
        else if (act.kind === 'restart-all') assert.equal((await restartUnit(access, all)).kind, 'ordered');
        else if (act.kind === 'replace')
          await putUnit(access, all, { content: contentOf(act.digit), desiredState: 'launched' });
        else {
          await putUnit(access, all, { desiredState: 'loaded' });
          await putUnit(access, all, { desiredState: 'launched' });
        }
        for (const machine of machines) {
          const order = await orderOn(machine);
          // The same content again is no order.
          const isMeant = act.kind === 'restart-one' ? act.machine === machine : act.kind !== 'replace';
          if (isMeant) assert.ok(order > (done.get(machine) ?? 0) && order > (before.get(machine) ?? 0));
          else if (act.kind === 'restart-one') assert.equal(order, before.get(machine), 'others are left alone');
        }
      }
    }),
  );
});
