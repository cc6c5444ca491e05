import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  AdoptUnitRequest,
  BatchOperationEntity,
  BatchRequest,
  BatchResultEntity,
  ExplanationEntity,
  LaunchStateWord,
  PutUnitEntity,
  UnitEntity,
  UnitStateEntity,
} from '@flotilla/schema';
import { hashUnitFile } from '@flotilla/unit';
import { storedFile } from '../unit-content.js';
import { MemoryDirectories } from './memory-directories.js';
import { MemoryMachines, machines, refusal } from './memory-machines.js';
import { type Entry, sorted, type Temper, waitingSince } from './memory-unit.js';
import { optionsOf } from './unit-options.js';

/** API v1 and v2's batch in memory, on a unix socket: enough of it for the command line, with units of every temper. */
export class MemoryApi extends MemoryMachines {
  readonly requests: string[] = [];
  readonly tempers = new Map<string, Temper>();
  readonly directories = new MemoryDirectories();
  pageSize = 100;
  /** What is said of units that are explained. */
  readonly explanations = new Map<string, ExplanationEntity>();
  /** Without it, it is like fleet's own fleetd. */
  hasBatch = true;
  /** So many of the next requests get 503. */
  absences = 0;
  readonly #entries = new Map<string, Entry>();
  readonly #gone = new Map<string, Entry>();
  readonly #server: Server;
  readonly #folder: string;
  #reads = 0;
  #since = 1_700_000_000_000;

  private constructor(folder: string) {
    super();
    this.#folder = folder;
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  static async open(): Promise<MemoryApi> {
    const api = new MemoryApi(await mkdtemp(join(tmpdir(), 'flotilla-fleetctl-')));
    await new Promise<void>((resolve) => api.#server.listen(join(api.folder, 'fleet.sock'), resolve));
    return api;
  }

  /** A folder for the test's unit files. */
  get folder(): string {
    return this.#folder;
  }

  get endpoint(): string {
    return `unix://${this.#folder}/fleet.sock`;
  }

  unit(name: string): UnitEntity | undefined {
    return this.#entries.get(name)?.unit;
  }

  states(name: string): readonly UnitStateEntity[] {
    return (this.#entries.get(name) ?? this.#gone.get(name))?.states ?? [];
  }

  /** Registers a unit and lets it come to rest. */
  add(name: string, file: string, desiredState: LaunchStateWord = 'inactive'): void {
    this.#put(name, { desiredState, options: optionsOf(file), file });
    for (let turn = 0; turn < 20; turn++) this.#read();
  }

  /** Gives a unit to an owner, and says which hosts have it in their directory of that name. */
  own(name: string, owner: string, hosts: readonly string[] = []): void {
    this.#adopt(name, { owner });
    this.directories.claim(owner, name, hosts);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.#folder, { recursive: true });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://localhost');
    let text = '';
    for await (const chunk of request) text += chunk;
    this.requests.push(`${request.method} ${url.pathname.replace('/fleet/v1/', '')}${url.search}`);
    const [status, body] =
      this.absences-- > 0 ? refusal(503, 'no etcd') : this.#answer(request.method ?? '', url, text);
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(body === undefined ? '' : JSON.stringify(body));
  }

  #answer(method: string, url: URL, text: string): [number, object?] {
    const [, , , resource, encoded, order] = url.pathname.split('/');
    const name = encoded === undefined ? undefined : decodeURIComponent(encoded);
    if (resource === 'dirs') return this.directories.answer(method, name, order);
    if (order === 'forget-dirs') return this.directories.forget(name ?? '', JSON.parse(text));
    if (order === 'adopt') return this.directories.isKnown ? this.#adopt(name ?? '', JSON.parse(text)) : [404];
    if (resource === 'settings') return this.settings.answer(method === 'PUT' ? JSON.parse(text) : {});
    if (order === 'metadata') return this.settings.answerMetadata(name ?? '', JSON.parse(text));
    if (order === 'limit') return this.settings.answerLimit(name ?? '', JSON.parse(text));
    if (order === 'release') return this.release(name ?? '');
    if (method === 'POST' && resource === 'machines') return this.unfreeze(name ?? '', url, JSON.parse(text));
    if (order === 'restart') return this.#restart(name ?? '', JSON.parse(text));
    if (method === 'POST') return this.hasBatch ? this.#batch(JSON.parse(text)) : [404];
    if (method === 'PUT' && name !== undefined)
      return this.#operate({ op: 'put', unit: { ...JSON.parse(text), name } });
    if (method === 'DELETE' && name !== undefined) return this.#operate({ op: 'delete', name });
    this.#read();
    if (order === 'explain') return this.#explain(name ?? '');
    if (resource === 'machines') return [200, this.machinePage()];
    if (resource === 'units' && name !== undefined) {
      const unit = this.unit(name);
      return unit === undefined ? refusal(404, 'unit does not exist') : [200, unit];
    }
    if (resource === 'units')
      return this.#page(
        'units',
        sorted(this.#entries).map(({ unit: { file, ...unit } }) => unit),
        url,
      );
    const wanted = url.searchParams.get('unitName');
    const states = sorted(new Map([...this.#gone, ...this.#entries])).flatMap((entry) => entry.states);
    return this.#page('states', wanted === null ? states : states.filter((state) => state.name === wanted), url);
  }

  #batch({ operations, owner }: BatchRequest): [number, object] {
    const results = operations.map((operation): BatchResultEntity => {
      const [status, body] = this.#operate(operation, owner);
      return { name: operation.op === 'put' ? operation.unit.name : operation.name, status, ...body };
    });
    return [200, { results }];
  }

  #operate(operation: BatchOperationEntity, owner?: string): [number, object?] {
    const name = operation.op === 'put' ? operation.unit.name : operation.name;
    const refused = this.refusals.get(name);
    if (refused !== undefined) return refusal(...refused);
    if (owner !== undefined) return this.#operateFor(owner, name, operation);
    return operation.op === 'put' ? this.#put(name, operation.unit) : this.#delete(name);
  }

  #operateFor(owner: string, name: string, operation: BatchOperationEntity): [number, object?] {
    const { unit } = this.#entries.get(name) ?? {};
    if (operation.op === 'delete') {
      const isLast = this.directories.drop(owner, name);
      if (!isLast || unit?.owner !== owner) return [204, { effect: 'kept' }];
      this.#delete(name);
      return [204, { effect: 'destroyed' }];
    }
    if (unit !== undefined && unit.owner !== owner) return refusal(409, `unit is owned by ${unit.owner}`);
    this.directories.hold(owner, name);
    if (unit !== undefined && unit.file === operation.unit.file) return [204, { effect: 'unchanged' }];
    this.#put(name, operation.unit);
    this.#adopt(name, { owner });
    return [201, { effect: unit === undefined ? 'created' : 'replaced' }];
  }

  #adopt(name: string, { owner }: AdoptUnitRequest): [number, object] {
    const entry = this.#entries.get(name);
    if (entry === undefined) return refusal(404, 'unit does not exist');
    const { owner: former, ...unit } = entry.unit;
    entry.unit = { ...unit, ...(owner !== undefined && { owner }) };
    return [200, { ...(former !== undefined && { former }), ...(owner !== undefined && { owner }) }];
  }

  #explain(name: string): [number, object] {
    const explanation = this.explanations.get(name);
    return explanation === undefined ? refusal(404, 'unit does not exist; there is web.service') : [200, explanation];
  }

  #page(field: string, items: readonly object[], url: URL): [number, object] {
    const start = Number(url.searchParams.get('nextPageToken') ?? 0);
    const end = start + this.pageSize;
    return [200, { [field]: items.slice(start, end), ...(end < items.length && { nextPageToken: String(end) }) }];
  }

  #put(name: string, put: PutUnitEntity): [number, object?] {
    const known = this.#entries.get(name);
    const desiredState = put.desiredState ?? known?.unit.desiredState ?? 'inactive';
    if (put.options === undefined && known === undefined)
      return refusal(409, 'unit does not exist and options field empty');
    const { file, options } = put;
    const fileHash = createHash('sha256')
      .update(file ?? '')
      .digest('hex');
    const content = options === undefined ? {} : { options, ...(file !== undefined && { file, fileHash }) };
    const unit: UnitEntity = { currentState: 'inactive', ...known?.unit, ...content, name, desiredState };
    const entry: Entry = known ?? { unit, states: [], order: 0, due: [] };
    if (desiredState === 'launched' && known?.unit.desiredState !== 'launched') entry.order++;
    entry.unit = unit;
    entry.due = [];
    this.#entries.set(name, entry);
    this.#after(entry, this.tempers.get(name)?.delay ?? 2, () => this.#settle(entry));
    return put.options === undefined ? [204] : [201];
  }

  #delete(name: string): [number, object?] {
    const entry = this.#entries.get(name);
    if (entry === undefined) return refusal(404, 'unit does not exist');
    this.#entries.delete(name);
    this.#gone.set(name, entry);
    entry.due = [];
    this.#after(entry, this.tempers.get(name)?.delay ?? 2, () => this.#gone.delete(name));
    return [204];
  }

  #restart(name: string, { machineID }: { readonly machineID?: string }): [number, object] {
    const entry = this.#entries.get(name);
    const refused = this.refusals.get(name);
    if (refused !== undefined) return refusal(...refused);
    if (entry === undefined) return refusal(404, 'unit does not exist');
    this.orders.push(machineID === undefined ? `restart ${name}` : `restart ${name} ${machineID}`);
    entry.order++;
    entry.unit = { ...entry.unit, desiredState: 'launched', currentState: 'inactive' };
    this.#after(entry, this.tempers.get(name)?.delay ?? 2, () => {
      const others = machineID === undefined ? [] : entry.states.filter((state) => state.machineID !== machineID);
      this.#settle(entry);
      const isOther = (state: UnitStateEntity) => others.find((each) => each.machineID === state.machineID);
      entry.states = entry.states.map((state) => isOther(state) ?? state);
    });
    return [200, { name, order: entry.order, ...(machineID !== undefined && { machineID }) }];
  }

  /** Somebody starts a unit on its host. */
  startByHand(name: string): void {
    const entry = this.#entries.get(name);
    for (const state of entry?.states ?? [])
      Object.assign(state, { systemdActiveState: 'active', systemdSubState: 'running' });
  }

  /** Puts the unit where it is wanted. */
  #settle(entry: Entry): void {
    const { name, desiredState } = entry.unit;
    const temper = this.tempers.get(name) ?? {};
    const isGlobal = entry.unit.options?.some((option) => option.name === 'Global');
    const { machineID: old, reason: _, waitingSince: __, ...unit } = entry.unit;
    if (desiredState === 'inactive') {
      entry.unit = { ...unit, currentState: 'inactive' };
      entry.states = [];
    } else if (temper.reason !== undefined) {
      entry.unit = { ...unit, currentState: 'inactive', reason: temper.reason, waitingSince };
      entry.states = [];
    } else if (isGlobal) {
      entry.states = machines.map(({ id }) =>
        this.#state(entry, id, desiredState === 'launched' ? ['active', 'running'] : ['inactive', 'dead']),
      );
    } else {
      const machineID = old ?? machines[this.#entries.size % machines.length]?.id ?? '';
      const started =
        desiredState === 'launched' ? (temper.started ?? [['active', 'running']]) : [['inactive', 'dead'] as const];
      entry.unit = { ...unit, currentState: desiredState, machineID };
      for (const [index, state] of started.entries())
        this.#after(entry, index, () => {
          entry.states = [this.#state(entry, machineID, state)];
        });
    }
  }

  #state(entry: Entry, machineID: string, [active, sub]: readonly [string, string]): UnitStateEntity {
    const { error, waitsFor } = this.tempers.get(entry.unit.name) ?? {};
    return {
      ...(error !== undefined && { error }),
      hash: hashUnitFile(storedFile(entry.unit)),
      machineID,
      name: entry.unit.name,
      ...(entry.unit.desiredState === 'launched' && { order: entry.order }),
      since: this.#since++,
      systemdActiveState: active,
      systemdLoadState: 'loaded',
      systemdSubState: sub,
      ...(waitsFor !== undefined && { waitsFor }),
    };
  }

  #after(entry: Entry, reads: number, happen: () => void): void {
    if (reads === 0) happen();
    else entry.due.push({ at: this.#reads + reads, happen });
  }

  #read(): void {
    this.#reads++;
    for (const entry of [...this.#entries.values(), ...this.#gone.values()]) {
      const due = entry.due.filter(({ at }) => at <= this.#reads);
      entry.due = entry.due.filter(({ at }) => at > this.#reads);
      for (const { happen } of due) happen();
    }
  }
}
