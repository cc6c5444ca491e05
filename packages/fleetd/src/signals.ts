import type { Logger } from '@flotilla/runtime';

/** Resolves with the first signal that asks the process to end. Later ones are noted: the first is being obeyed. */
export function untilAskedToEnd(log: Logger): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        log.info('Gracefully shutting down', { signal });
        resolve(signal);
      });
    }
  });
}
