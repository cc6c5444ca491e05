import { FleetError } from '@flotilla/errors';
import type {
  AlarmEntity,
  BatchOperationEntity,
  ExplanationEntity,
  LossEntity,
  MachineEntity,
  MachineLimitAnswer,
  MachineLimitRequest,
  MachineMetadataAnswer,
  MachineMetadataRequest,
  MachinePage,
  RestartAnswer,
  RestartRequest,
  SettingsAnswer,
  SettingsRequest,
  UnfreezeAnswer,
  UnfreezeRequest,
  UnitEntity,
  UnitPage,
  UnitStateEntity,
  UnitStatePage,
} from '@flotilla/schema';
import { checkStatus, decode } from './answer.js';
import { type BatchOptions, createBatch, type OperationOutcome } from './batch.js';
import { createDirectoryClient, type DirectoryClient } from './directories.js';
import { apiRoot, explainPath, machineRequest, restartPath, unitPath } from './paths.js';
import { Transport, type TransportOptions } from './transport.js';

/** A deadline that suits an API on the same network; see {@link ClientOptions.timeoutMs}. */
export const defaultTimeoutMs = 10_000;

/** How to reach an API. */
export interface ClientOptions extends Omit<TransportOptions, 'timeoutMs'> {
  /** @default 10,000, see {@link defaultTimeoutMs} */
  readonly timeoutMs?: number;
}

/** How a list is read. */
export interface PageOptions {
  /** Entries on a page, up to 1,000; a server that does not know this gives as many as it likes. @default 500 */
  readonly limit?: number;
}

/** What unit states are wanted; both may be combined. */
export interface UnitStateFilter extends PageOptions {
  readonly unitName?: string;
  readonly machineID?: string;
}

/** The machines, and what is not as it should be. */
export interface MachineSurvey {
  /** By ID. */
  readonly machines: MachineEntity[];
  /** What is to be seen to at etcd, the worst first. */
  readonly alarms: AlarmEntity[];
  /** Machines that are gone, by ID. */
  readonly losses: LossEntity[];
}

/**
 * The API of one fleetd. Every method throws {@link ApiError} for an answer of 400 or more that it does not list as a
 * result, and FleetError `connection-failed`, `request-timeout` or `bad-answer`.
 */
export interface Client extends DirectoryClient {
  /** With the submitted text in `file`; `undefined` if there is no such unit. */
  findUnit(name: string): Promise<UnitEntity | undefined>;
  /**
   * Puts and deletes units with few requests: one for 500 of them, or for 1 MiB. The outcome is as if each was asked
   * for alone. A single unit, and any at a server that has no batches, is asked for by the requests of API v1. With an
   * owner, puts are what it wants, and deletes what it wants no longer.
   *
   * @param operations No two on one unit.
   * @returns By unit name, one for each operation, in their order. A refusal is an outcome, whatever its status.
   * @throws FleetError `connection-failed`, `request-timeout`, `bad-answer`: what came of the operations is unknown.
   * @throws ApiError 404 if there is an owner and the server is too old for that: nothing is done.
   */
  batch(operations: readonly BatchOperationEntity[], options?: BatchOptions): Promise<Map<string, OperationOutcome>>;
  /**
   * Has a unit started once more; of a global one, on all machines or on one. Resolves when it is ordered: it has been
   * started where its state says the answer's `order`, or a larger one. Throws {@link ApiError} 400, 404 and 409.
   */
  restartUnit(name: string, request?: RestartRequest): Promise<RestartAnswer>;
  /** Page by page, by name; a caller that has seen enough stops reading. */
  unitPages(options?: PageOptions): AsyncGenerator<readonly UnitEntity[]>;
  /** Page by page, by name, then machine. */
  statePages(filter?: UnitStateFilter): AsyncGenerator<readonly UnitStateEntity[]>;
  /** All, by name. */
  listUnits(): Promise<UnitEntity[]>;
  /** All that the filter lets through, by name, then machine. */
  listStates(filter?: UnitStateFilter): Promise<UnitStateEntity[]>;
  /** All, by ID. */
  listMachines(): Promise<MachineEntity[]>;
  /** Why a unit is where it is, or nowhere. Throws {@link ApiError} 404 if there is no such unit. */
  explainUnit(name: string): Promise<ExplanationEntity>;
  /** What unfreezing a machine would do. Throws {@link ApiError} 404 and 409 if it is not there, or not frozen. */
  planUnfreeze(id: string, request: UnfreezeRequest): Promise<UnfreezeAnswer>;
  /** Tells a frozen machine to go on; it has when its entity is no longer `frozen`. Throws as {@link planUnfreeze}. */
  unfreeze(id: string, request: UnfreezeRequest): Promise<void>;
  /** The same, with what an operator should see to. */
  surveyMachines(): Promise<MachineSurvey>;
  /**
   * Says that a machine which is gone is lost, or has one forgotten that is. Throws {@link ApiError} 404 and 409 if it is
   * not there, or not gone.
   */
  releaseMachine(id: string): Promise<void>;
  /** Every cluster setting, with what holds. */
  readSettings(): Promise<SettingsAnswer>;
  /** Changes settings, all or none, and reads them. Throws {@link ApiError} 400 that names each one that is wrong. */
  changeSettings(request: SettingsRequest): Promise<SettingsAnswer>;
  /** Changes a machine's metadata, whether the machine is there or not. Throws {@link ApiError} 400. */
  changeMetadata(id: string, request: MachineMetadataRequest): Promise<MachineMetadataAnswer>;
  /** Says how many units a machine takes, whether it is there or not. Throws {@link ApiError} 400. */
  limitMachine(id: string, request: MachineLimitRequest): Promise<MachineLimitAnswer>;
  /** Cuts the connections, so that the process can end. */
  close(): void;
}

/**
 * A client of the API at `endpoint`. Nothing is connected before the first call.
 *
 * @throws FleetError `bad-endpoint`
 */
export function createClient(options: ClientOptions): Client {
  const transport = new Transport({ ...options, timeoutMs: options.timeoutMs ?? defaultTimeoutMs });
  const unitPages = ({ limit = defaultLimit }: PageOptions = {}) =>
    walk(transport, `${apiRoot}/units${query({ limit })}`, (page: UnitPage) => page.units);
  const statePages = ({ unitName, machineID, limit }: UnitStateFilter = {}) => {
    // One unit has few states.
    const parameters = { unitName, machineID, limit: limit ?? (unitName === undefined ? defaultLimit : undefined) };
    return walk(transport, `${apiRoot}/state${query(parameters)}`, (page: UnitStatePage) => page.states);
  };
  const surveyMachines = async () => {
    const alarms: AlarmEntity[] = [];
    const losses: LossEntity[] = [];
    const machines = await collect(
      walk(transport, `${apiRoot}/machines`, (page: MachinePage) => {
        alarms.push(...(page.alarms ?? []));
        losses.push(...(page.losses ?? []));
        return page.machines;
      }),
    );
    // Between a machine's return and the leader's hearing of it, it is in both.
    const alive = new Set(machines.map(({ id }) => id));
    return { machines, alarms, losses: losses.filter(({ machineID }) => !alive.has(machineID)) };
  };
  return {
    async findUnit(name) {
      const answer = await transport.send({ method: 'GET', path: unitPath(name) });
      if (answer.status === 404) return undefined;
      return decode<UnitEntity>(answer);
    },
    batch: createBatch(transport),
    restartUnit: async (name, request = {}) =>
      decode<RestartAnswer>(
        await transport.send({ method: 'POST', path: restartPath(name), body: JSON.stringify(request), isOnce: true }),
      ),
    unitPages,
    statePages,
    listUnits: () => collect(unitPages()),
    listStates: (filter) => collect(statePages(filter)),
    explainUnit: async (name) =>
      decode<ExplanationEntity>(await transport.send({ method: 'GET', path: explainPath(name) })),
    planUnfreeze: async (id, request) =>
      decode<UnfreezeAnswer>(await transport.send(machineRequest(id, 'unfreeze?dryRun=true', request))),
    unfreeze: async (id, request) => checkStatus(await transport.send(machineRequest(id, 'unfreeze', request))),
    listMachines: async () => (await surveyMachines()).machines,
    surveyMachines,
    releaseMachine: async (id) => checkStatus(await transport.send(machineRequest(id, 'release'))),
    readSettings: async () => decode<SettingsAnswer>(await transport.send({ method: 'GET', path: settingsPath })),
    changeSettings: async (request) =>
      decode<SettingsAnswer>(
        await transport.send({ method: 'PUT', path: settingsPath, body: JSON.stringify(request) }),
      ),
    changeMetadata: async (id, request) =>
      decode<MachineMetadataAnswer>(await transport.send(machineRequest(id, 'metadata', request))),
    limitMachine: async (id, request) =>
      decode<MachineLimitAnswer>(await transport.send(machineRequest(id, 'limit', request))),
    ...createDirectoryClient(transport),
    close: () => transport.close(),
  };
}

/** A page costs each side some 2 ms, however few entries it has. */
const defaultLimit = 500;

const settingsPath = '/fleet/v2/settings';

function query(parameters: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(given.map(([key, value]): [string, string] => [key, String(value)])).toString();
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
