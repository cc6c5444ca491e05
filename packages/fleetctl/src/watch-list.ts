import { FleetError } from '@flotilla/errors';
import { sleep } from '@flotilla/runtime';
import type { Context } from './context.js';
import { messageOf } from './errors.js';
import type { Listing } from './list-output.js';
import type { List } from './show-list.js';
import { WatchScreen } from './watch-screen.js';
import { WatchStream } from './watch-stream.js';

/** Where a watched list is shown. */
export interface WatchedView<Item> {
  /** Shows what has changed since the last time. */
  show(list: List<Item>): Promise<void>;
  /** Says, once, why there is nothing newer; {@link show} ends that. */
  showProblem(problem: string): void;
  /** Gives the terminal back. */
  close(): void;
}

export interface WatchOptions<Item> {
  readonly listing: Listing<Item>;
  /** The first look. */
  readonly list: List<Item>;
  /** The next ones. */
  readonly read: () => Promise<List<Item>>;
  readonly watchMs: number;
}

/**
 * Shows a list until the process ends: for Ctrl-C, or because nobody reads a change any more. Once there is a list, an
 * API that is away is waited for.
 */
export async function watchList<Item>(
  { screen, clock }: Context,
  { listing, list, read, watchMs }: WatchOptions<Item>,
): Promise<never> {
  const { terminal } = screen;
  const isDrawn = terminal.isOutTerminal && listing.form === 'table';
  const view = isDrawn ? new WatchScreen(screen, listing) : new WatchStream(screen, listing);
  const stopListening = terminal.onInterrupt(() => view.close());
  try {
    await view.show(list);
    for (;;) {
      await sleep(clock, watchMs);
      try {
        await view.show(await read());
      } catch (error) {
        if (!(error instanceof FleetError)) throw error;
        view.showProblem(messageOf(error));
      }
    }
  } finally {
    stopListening();
    view.close();
  }
}
