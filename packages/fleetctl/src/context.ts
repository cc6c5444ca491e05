import type { Client } from '@flotilla/client';
import type { Clock } from '@flotilla/runtime';
import type { Screen } from './terminal.js';

/** What a command works with. */
export interface Context {
  readonly client: Client;
  readonly screen: Screen;
  readonly clock: Clock;
}
