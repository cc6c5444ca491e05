import type { LayoutBench } from './layout.js';
import { place, readUnits, register, report, submit } from './layout-phases.js';
import type { LayoutUnit } from './layout-units.js';
import { cpu, measure, number, perSecond } from './stopwatch.js';

/** How many units are written one by one. */
const singleUnits = 4_000;

/** The layout's choices beside their alternatives, in one run. */
export async function benchVariants(bench: LayoutBench, units: readonly LayoutUnit[]): Promise<void> {
  const { etcd, print } = bench;
  const store = bench.open('variants');
  const timed = async (name: string, count: number, work: () => Promise<unknown>) => {
    const measured = await measure(etcd, work);
    print(`  ${name}: ${perSecond(count, measured.ms)} units; ${cpu(measured, count)} a unit`);
  };
  print(
    `side by side: ${number(units.length)} units, ${number(Math.min(singleUnits, units.length))} where they go singly`,
  );
  const leases = await register(store);
  const { uids } = await submit(store, units);
  const few = units.slice(0, singleUnits);
  await timed('place, schedule record with all that the agent needs', units.length, () =>
    place(store, { units, uids, writes: 'placement and schedule' }),
  );
  await timed('place, placement only', units.length, () => place(store, { units, uids, writes: 'placement only' }));
  await timed('... and then the agents read the unit records', units.length, () => readUnits(store, units));
  await timed('report, 128 states in a transaction', units.length, () => report(store, { units, uids, leases }));
  await timed('report, one state in a transaction', few.length, () =>
    report(store, { units: few, uids, leases, perTransaction: 1 }),
  );
  const single = bench.open('single');
  await timed('submit, 64 units in a transaction', units.length, () => submit(bench.open('batched'), units));
  await timed('submit, one unit and its file in a transaction', few.length, () => submit(single, few, 1));
}
