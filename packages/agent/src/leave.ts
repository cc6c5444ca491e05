import type { Clock, Logger } from '@flotilla/runtime';
import { sleep } from '@flotilla/runtime';
import type { UnitManager } from '@flotilla/systemd';
import type { UnitName } from '@flotilla/unit';
import { motion } from './current.js';
import { findPartitionStops } from './partition-stops.js';

export interface StopAllOptions {
  readonly unitManager: UnitManager;
  readonly clock: Clock;
  readonly log: Logger;
  /** Counted from the call; not known before the units are on their way. */
  readonly timeoutMs: Promise<number>;
  /** Told before they are stopped: a process that ends in between is followed by one that starts them again. */
  readonly onStop: (names: readonly UnitName[]) => void;
}

/** What came of stopping units: those that are at rest, and those that were not when time was up. */
export interface Stopped {
  readonly resting: readonly UnitName[];
  readonly stopping: readonly UnitName[];
}

/**
 * Stops those of `known` whose files are here, and waits until they are at rest, or for `timeoutMs`. Returns `undefined` if
 * systemd can't be asked.
 */
export async function stopAll(known: Iterable<UnitName>, options: StopAllOptions): Promise<Stopped | undefined> {
  try {
    const files = await options.unitManager.listFiles();
    return await stop([...known].filter((name) => files.has(name)).sort(), options);
  } catch (error) {
    options.log.error('the units could not be stopped', { error });
    return undefined;
  }
}

/** Of units that were still stopping when time was up, kills those that may not run twice: others are about to start them. */
export async function killExclusive(
  names: readonly UnitName[],
  { unitManager, log }: Pick<StopAllOptions, 'unitManager' | 'log'>,
): Promise<void> {
  try {
    const units = [...(await findPartitionStops(names, unitManager)).keys()];
    if (units.length === 0) return;
    log.warn('killing units that did not stop and may not run twice', { units });
    await unitManager.kill(units);
  } catch (error) {
    log.error('units that did not stop could not be killed', { error });
  }
}

/** Takes the files of stopped units away. Returns whether that could be asked of systemd. */
export async function unloadAll(
  names: readonly UnitName[],
  { unitManager, log }: Pick<StopAllOptions, 'unitManager' | 'log'>,
): Promise<boolean> {
  try {
    await unitManager.unload(names);
    return true;
  } catch (error) {
    log.error('the files of stopped units could not be taken away', { error });
    return false;
  }
}

/** A systemd that did not answer is asked again after this. */
const askAgainMs = 250;

/** Those of `names` that are at rest; `undefined` if systemd can't be asked at this moment, as while it executes itself anew. */
async function findResting(
  names: readonly UnitName[],
  { unitManager, log }: StopAllOptions,
): Promise<readonly UnitName[] | undefined> {
  try {
    const statuses = await unitManager.listUnits(names);
    return names.filter((name) => {
      const status = statuses.get(name);
      return status === undefined || motion(status) === 'at-rest';
    });
  } catch (error) {
    log.debug('units that are stopping could not be looked at', { error });
    return undefined;
  }
}

async function stop(names: readonly UnitName[], options: StopAllOptions): Promise<Stopped> {
  const { unitManager, clock, log, timeoutMs, onStop } = options;
  if (names.length === 0) return { resting: [], stopping: [] };
  onStop(names);
  const startedAtMs = clock.monotonicMs();
  const failures = await unitManager.stop(names);
  for (const [unit, error] of failures) log.warn('a unit could not be stopped', { unit, error });
  const deadlineMs = startedAtMs + (await timeoutMs);
  for (;;) {
    const change = new AbortController();
    const subscription = unitManager.onChange(() => change.abort());
    try {
      const resting = await findResting(names, options);
      const leftMs = deadlineMs - clock.monotonicMs();
      if (leftMs <= 0)
        log.warn('units were still stopping when time was up', { stopped: resting?.length, of: names.length });
      if (resting?.length === names.length || leftMs <= 0) {
        const atRest = new Set(resting);
        return { resting: resting ?? [], stopping: names.filter((name) => !atRest.has(name)) };
      }
      await sleep(clock, resting === undefined ? Math.min(leftMs, askAgainMs) : leftMs, change.signal);
    } finally {
      subscription.close();
    }
  }
}
