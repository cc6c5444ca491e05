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

/**
 * Keeps signals that fleet gave a meaning to from doing Node's own: SIGHUP would end the process, SIGUSR1 would open a
 * debugger's port.
 */
export function tameOtherSignals(log: Logger): void {
  process.on('SIGHUP', () => log.warn('the configuration is read at start only; restarting fleetd touches no unit'));
  process.on('SIGUSR1', () => log.warn('dumping the state is not supported'));
}
