import type { Logger } from '@flotilla/runtime';

/** What this process is told by signals. */
export interface Signals {
  /** Aborts with the first signal that asks the process to end. */
  readonly end: AbortSignal;
  /** Resolves with what is wanted: `end` from then on always, `reload` once for all SIGHUPs since it was wanted last. */
  next(): Promise<'end' | 'reload'>;
  /** Called back at each SIGUSR1. */
  onDump(listener: () => void): void;
}

/**
 * Takes the signals that fleet gave a meaning to. To be called first of all: Node's own way with SIGHUP is to end, with
 * SIGUSR1 to open a debugger's port.
 */
export function takeSignals(log: Logger, process: NodeJS.EventEmitter = globalThis.process): Signals {
  const end = new AbortController();
  let isReloadWanted = false;
  let wake = () => {};
  let dump = () => {};
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      log.info('Gracefully shutting down', { signal });
      end.abort();
      wake();
    });
  }
  process.on('SIGHUP', () => {
    if (end.signal.aborted) return log.info('the configuration is not read again: fleetd is ending');
    isReloadWanted = true;
    wake();
  });
  process.on('SIGUSR1', () => {
    log.info('Dumping server state');
    dump();
  });
  return {
    end: end.signal,
    async next() {
      while (!end.signal.aborted && !isReloadWanted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      isReloadWanted = false;
      return end.signal.aborted ? 'end' : 'reload';
    },
    onDump(listener) {
      dump = listener;
    },
  };
}
