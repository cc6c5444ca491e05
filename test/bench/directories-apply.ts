import { mustFleetctl } from '../lab/index.js';
import { fileNames, type ManyFilesBench } from './directories-bench.js';
import { prepareFiles } from './directories-burst.js';
import { readRevision } from './host-idle.js';
import { shown, timed } from './stopwatch.js';

const timeoutMs = 300_000;

export interface ApplyOptions extends ManyFilesBench {
  readonly rounds: number;
}

/** Applies many files that have not changed, for nobody and for an owner. */
export async function benchApply({ lab, host, units, rounds, print }: ApplyOptions): Promise<void> {
  print(`directories: fleetctl apply of ${units} unchanged files, ${rounds} rounds, median (least - most)`);
  for (const [what, prefix, words] of [
    ['without an owner', 'plain', []],
    ['with --owner', 'owned', ['--owner', 'bench']],
  ] as const) {
    await prepareFiles(host, prefix, units);
    const apply = ['apply', '--wait=5m', ...words, `${host.root}/srv/files`];
    await mustFleetctl(host, apply, { timeoutMs });
    const before = await readRevision(lab);
    const times: number[] = [];
    let said = '';
    for (let round = 0; round < rounds; round++)
      times.push(
        await timed(async () => {
          said = await mustFleetctl(host, apply, { timeoutMs });
        }),
      );
    const writes = (await readRevision(lab)) - before;
    print(`  ${what.padEnd(18)} ${shown(times)}, ${writes} writes in etcd (goal: 0)`);
    const names = fileNames(prefix, units);
    if (words.length > 0) await mustFleetctl(host, ['adopt', ...names], { timeoutMs });
    await mustFleetctl(host, ['destroy', ...names], { timeoutMs });
    print(`    ${said.trim().split('\n').at(-1) ?? ''}`);
  }
}
