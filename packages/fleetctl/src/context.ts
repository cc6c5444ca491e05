import type { Client } from '@flotilla/client';
import type { Clock } from '@flotilla/runtime';
import type { Screen } from './terminal.js';
import type { UnitReader } from './unit-reader.js';

/** What a command works with. */
export interface Context {
  readonly client: Client;
  /** Of the same client. It learns how large the cluster is. */
  readonly reader: UnitReader;
  readonly screen: Screen;
  readonly clock: Clock;
}
