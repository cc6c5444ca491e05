import type { Logger } from '@flotilla/runtime';
import { formatDump } from './format-dump.js';

/** What this process is told by signals. */
export interface Signals {
  /** Aborts with the first signal that asks the process to end. */
  readonly end: AbortSignal;
  /** Resolves with what is wanted: `end` from then on always, `reload` once for all SIGHUPs since it was wanted last. */
  next(): Promise<'end' | 'reload'>;
  /** Has each SIGUSR1 write what `describe` says, one line, to standard output. */
  onDump(describe: () => string): void;
}

export interface TakeSignalsOptions {
  readonly log: Logger;
  /** Takes what is for standard output. */
  readonly write: (text: string) => void;
  /** What emits the signals. @default this process */
  readonly from?: NodeJS.EventEmitter;
}

/**
 * Takes the signals that fleet gave a meaning to. To be called first of all: Node's own way with SIGHUP is to end, with
 * SIGUSR1 to open a debugger's port.
 */
export function takeSignals({ log, write, from = process }: TakeSignalsOptions): Signals {
  const end = new AbortController();
  let isReloadWanted = false;
  let wake = () => {};
  let dump = () => formatDump({ machine: '', agent: undefined, directories: [] });
  for (const signal of ['SIGTERM', 'SIGINT']) {
    from.on(signal, () => {
      log.info('Gracefully shutting down', { signal });
      end.abort();
      wake();
    });
  }
  from.on('SIGHUP', () => {
    if (end.signal.aborted) return log.info('the configuration is not read again: fleetd is ending');
    isReloadWanted = true;
    wake();
  });
  from.on('SIGUSR1', () => {
    log.info('Dumping server state');
    write(`${dump()}\n`);
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
    onDump(describe) {
      dump = describe;
    },
  };
}
