import type { Readable, Writable } from 'node:stream';
import type { Client } from '@flotilla/client';
import type { Clock } from '@flotilla/runtime';
import type { LocalHost } from './local-host.js';
import type { Screen } from './terminal.js';
import type { UnitReader } from './unit-reader.js';

/** What a command works with that asks no fleetd. */
export interface LocalContext {
  readonly screen: Screen;
  readonly clock: Clock;
  /** The process's stdin and stdout, for bytes that are not ours. */
  openStreams(): ByteStreams;
  /** A client all the same, of the endpoint that the global flags name; whoever asks for it closes it. */
  connect(): Promise<Client>;
}

/** What a command works with. */
export interface Context extends Omit<LocalContext, 'openStreams' | 'connect'> {
  readonly client: Client;
  /** Of the same client. It learns how large the cluster is. */
  readonly reader: UnitReader;
  /** Where fleetctl runs. */
  readonly host: LocalHost;
}

/** Bytes in, bytes out. */
export interface ByteStreams {
  readonly input: Readable;
  readonly output: Writable;
}
