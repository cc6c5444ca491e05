import type { Store } from '@flotilla/registry';
import { createEtcdStore } from '@flotilla/registry-etcd';
import { silentLogger, systemClock } from '@flotilla/runtime';
import { etcdMissing, TestEtcd } from '../etcd/etcd.js';
import { layoutUnits } from './layout-units.js';
import { benchVariants } from './layout-variants.js';
import { benchWhole } from './layout-whole.js';

export interface BenchLayoutOptions {
  /** @default 100_000 */
  readonly units?: number;
  /** @default console.log */
  readonly print?: (line: string) => void;
}

/** What a part of the benchmark works with. */
export interface LayoutBench {
  readonly etcd: TestEtcd;
  readonly print: (line: string) => void;
  /** A client of its own; closed when the benchmark ends. */
  open(prefix: string): Store;
}

/** Side-by-side variants run with at most so many units. */
const variantUnits = 20_000;

/** More than the largest transaction and page takes on a busy machine. */
const requestTimeoutMs = 20_000;

/** Writes and watches units in the key layout, and prints what that costs. Needs an etcd in PATH. */
export async function benchLayout(options: BenchLayoutOptions = {}): Promise<void> {
  const { units = 100_000, print = console.log } = options;
  const missing = etcdMissing();
  if (missing !== undefined) {
    print(`layout: skipped, ${missing}`);
    return;
  }
  const etcd = await TestEtcd.start();
  const stores: Store[] = [];
  const open = (prefix: string) => {
    const store = createEtcdStore({
      hosts: [etcd.url],
      prefix,
      requestTimeoutMs,
      clock: systemClock,
      log: silentLogger,
    });
    stores.push(store);
    return store;
  };
  try {
    await benchWhole({ etcd, print, open }, [...layoutUnits(units)]);
    await benchVariants({ etcd, print, open }, [...layoutUnits(Math.min(units, variantUnits))]);
  } finally {
    for (const store of stores) await store.close();
    await etcd.remove();
  }
}
