import { rename } from 'node:fs/promises';
import { sleep, systemClock } from '@flotilla/runtime';
import { mustFleetctl, showProperty } from '../lab/index.js';
import { type Marks, printStages } from './cli-stages.js';
import type { DirectoryBench } from './directories-bench.js';
import { EtcdEvents } from './etcd-events.js';
import { sleeper } from './host-fleetd.js';
import { median, percentile } from './stopwatch.js';

/** Long enough that nothing of the last unit is under way any more, and that the next file is a change of its own. */
const restMs = 1_500;

export interface DropsOptions extends DirectoryBench {
  readonly runs: number;
}

/** Drops single unit files into a watched directory, and has fleetctl start files like them, in turns. */
export async function benchDrops({ runs, ...bench }: DropsOptions): Promise<void> {
  const drops = new Drops(bench);
  try {
    // Whatever is done once in a daemon's life is not measured.
    await drops.drop();
    await drops.start();
    const marks = { drop: [] as Marks[], start: [] as Marks[] };
    for (let run = 0; run < runs; run++)
      for (const way of run % 2 ? (['start', 'drop'] as const) : (['drop', 'start'] as const))
        marks[way].push(await drops[way]());
    const { print } = bench;
    print(`directories: one new unit on an idle cluster of one host, ${runs} runs each way, in milliseconds`);
    printStages('dropped into the directory', marks.drop, print);
    printStages('fleetctl start', marks.start, print);
    const settling = marks.drop.map((each) => each[settled] ?? Number.NaN);
    const rest = marks.drop.map((each) => (each[active] ?? Number.NaN) - (each[settled] ?? Number.NaN));
    print(`  dropped: until it has settled            ${quantiles(settling)}`);
    print(`  dropped: from then until it is active    ${quantiles(rest)}`);
    print(
      `  started: until it is active              ${quantiles(marks.start.map((each) => each[active] ?? Number.NaN))}`,
    );
  } finally {
    drops.close();
  }
}

const settled = 'first write to etcd: settled';
const active = 'active in systemd';

function quantiles(times: readonly number[]): string {
  return `p50 ${median(times).toFixed(0)}  p99 ${percentile(times, 99).toFixed(0)}`;
}

class Drops {
  readonly #bench: DirectoryBench;
  readonly #events: EtcdEvents;
  #count = 0;

  constructor(bench: DirectoryBench) {
    this.#bench = bench;
    this.#events = new EtcdEvents(bench.lab);
  }

  async drop(): Promise<Marks> {
    const { host, folder } = this.#bench;
    const unit = this.#nextName('drop');
    // Beside the directory, so that it is one rename: what editors and `git` do.
    const file = await this.#write(`/srv/${unit}`);
    return await this.#watched(unit, async (startMs) => {
      await rename(file, `${host.root}${folder}/${unit}`);
      const { atMs } = await this.#events.until('something is written', ({ key }) => key.startsWith('dir-hosts/'));
      return { [settled]: atMs - startMs };
    });
  }

  async start(): Promise<Marks> {
    const { host } = this.#bench;
    const unit = this.#nextName('start');
    const file = await this.#write(`/root/${unit}`);
    return await this.#watched(unit, async (startMs) => {
      await mustFleetctl(host, ['start', file]);
      return { 'fleetctl has ended': systemClock.monotonicMs() - startMs };
    });
  }

  close(): void {
    this.#events.close();
  }

  #nextName(way: string): string {
    return `${way}-${++this.#count}.service`;
  }

  /** @returns The path for a program outside of the host. */
  async #write(path: string): Promise<string> {
    const { host } = this.#bench;
    await host.writeFile(path, sleeper);
    return host.root + path;
  }

  async #watched(unit: string, begin: (startMs: number) => Promise<Marks>): Promise<Marks> {
    const { host } = this.#bench;
    this.#events.clear();
    const startMs = systemClock.monotonicMs();
    const own = await begin(startMs);
    const row = await this.#events.until(`${unit} is active`, ({ key, value }) => {
      return key.startsWith(`states/${unit}/`) && value?.includes('"active":"active"') === true;
    });
    const since = (atMs = Number.NaN) => atMs - startMs;
    const record = this.#events.find(({ key }) => key === `units/${unit}`);
    const placement = this.#events.find(({ key }) => key === `schedule/${host.machineId}/${unit}`);
    const activeMicros = Number(await showProperty(host, unit, 'ActiveEnterTimestampMonotonic'));
    await sleep(systemClock, restMs);
    return {
      'record in etcd': since(record?.atMs),
      'placement in etcd': since(placement?.atMs),
      [active]: since(activeMicros / 1000),
      'row in etcd': since(row.atMs),
      ...own,
    };
  }
}
