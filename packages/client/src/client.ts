import { FleetError } from '@flotilla/errors';
import type {
  MachineEntity,
  MachinePage,
  PutUnitEntity,
  UnitEntity,
  UnitPage,
  UnitStateEntity,
  UnitStatePage,
} from '@flotilla/schema';
import { type Answer, checkStatus, Transport, type TransportOptions } from './transport.js';

/** A deadline that suits an API on the same network; see {@link ClientOptions.timeoutMs}. */
export const defaultTimeoutMs = 10_000;

/** How to reach an API. */
export interface ClientOptions extends Omit<TransportOptions, 'timeoutMs'> {
  /** @default 10,000, see {@link defaultTimeoutMs} */
  readonly timeoutMs?: number;
}

/** What unit states are wanted; both may be combined. */
export interface UnitStateFilter {
  readonly unitName?: string;
  readonly machineID?: string;
}

/**
 * API v1 of one fleetd. Every method throws {@link ApiError} for an answer of 400 or more that it does not list as a
 * result, and FleetError `connection-failed`, `request-timeout` or `bad-answer`.
 */
export interface Client {
  /** With the submitted text in `file`; `undefined` if there is no such unit. */
  findUnit(name: string): Promise<UnitEntity | undefined>;
  /** `created` also stands for new content under a known name; `updated`: only the desired state was set. */
  putUnit(name: string, unit: PutUnitEntity): Promise<'created' | 'updated'>;
  deleteUnit(name: string): Promise<'deleted' | 'absent'>;
  /** Page by page, by name; a caller that has seen enough stops reading. */
  unitPages(): AsyncGenerator<readonly UnitEntity[]>;
  /** Page by page, by name, then machine. */
  statePages(filter?: UnitStateFilter): AsyncGenerator<readonly UnitStateEntity[]>;
  /** All, by name. */
  listUnits(): Promise<UnitEntity[]>;
  /** All that the filter lets through, by name, then machine. */
  listStates(filter?: UnitStateFilter): Promise<UnitStateEntity[]>;
  /** All, by ID. */
  listMachines(): Promise<MachineEntity[]>;
  /** Cuts the connections, so that the process can end. */
  close(): void;
}

const root = '/fleet/v1';

/**
 * A client of the API at `endpoint`. Nothing is connected before the first call.
 *
 * @throws FleetError `bad-endpoint`
 */
export function createClient(options: ClientOptions): Client {
  const transport = new Transport({ ...options, timeoutMs: options.timeoutMs ?? defaultTimeoutMs });
  const unitPages = () => walk(transport, `${root}/units`, (page: UnitPage) => page.units);
  const statePages = (filter: UnitStateFilter = {}) =>
    walk(transport, `${root}/state${query({ ...filter })}`, (page: UnitStatePage) => page.states);
  return {
    async findUnit(name) {
      const answer = await transport.send({ method: 'GET', path: unitPath(name) });
      if (answer.status === 404) return undefined;
      return decode<UnitEntity>(answer);
    },
    async putUnit(name, unit) {
      const answer = await transport.send({ method: 'PUT', path: unitPath(name), body: unit });
      checkStatus(answer);
      return answer.status === 201 ? 'created' : 'updated';
    },
    async deleteUnit(name) {
      const answer = await transport.send({ method: 'DELETE', path: unitPath(name) });
      if (answer.status === 404) return 'absent';
      checkStatus(answer);
      return 'deleted';
    },
    unitPages,
    statePages,
    listUnits: () => collect(unitPages()),
    listStates: (filter) => collect(statePages(filter)),
    listMachines: () => collect(walk(transport, `${root}/machines`, (page: MachinePage) => page.machines)),
    close: () => transport.close(),
  };
}

function unitPath(name: string): string {
  return `${root}/units/${encodeURIComponent(name)}`;
}

function query(parameters: Readonly<Record<string, string>>): string {
  const text = new URLSearchParams(parameters).toString();
  return text === '' ? '' : `?${text}`;
}

async function* walk<Page extends { readonly nextPageToken?: string }, Item>(
  transport: Transport,
  path: string,
  itemsOf: (page: Page) => readonly Item[] | undefined,
): AsyncGenerator<readonly Item[]> {
  let token: string | undefined;
  do {
    const withToken =
      token === undefined
        ? path
        : `${path}${path.includes('?') ? '&' : '?'}${query({ nextPageToken: token }).slice(1)}`;
    const page: Page = decode(await transport.send({ method: 'GET', path: withToken }));
    if (page.nextPageToken !== undefined && page.nextPageToken === token)
      throw new FleetError('bad-answer', `the API gave the page token ${token} twice in a row`);
    token = page.nextPageToken;
    yield itemsOf(page) ?? [];
  } while (token !== undefined);
}

async function collect<Item>(pages: AsyncIterable<readonly Item[]>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const page of pages) for (const item of page) items.push(item);
  return items;
}

// The one parse boundary: the API's own types are trusted, so that a client need not load a validator.
function decode<T>(answer: Answer): T {
  checkStatus(answer);
  let body: unknown;
  try {
    body = JSON.parse(answer.text);
  } catch (cause) {
    throw new FleetError('bad-answer', 'the answer is not JSON: is this the endpoint of a fleetd?', { cause });
  }
  if (typeof body !== 'object' || body === null) throw new FleetError('bad-answer', 'the answer is not a JSON object');
  return body as T;
}
