import type {
  MachineEntity,
  MachineLimitRequest,
  MachineMetadataRequest,
  SettingEntity,
  SettingsRequest,
} from '@flotilla/schema';

/** What the API keeps of settings, and of machines' metadata and limits: as much as the command line needs to see. */
export class MemorySettings {
  /** By key; what is absent has its default. */
  readonly set = new Map<string, string>();
  /** Why a value can't be used, by key. */
  readonly problems = new Map<string, string>();
  readonly #machines: readonly MachineEntity[];
  readonly #overrides = new Map<string, Map<string, string>>();
  readonly #limits = new Map<string, number>();

  constructor(machines: readonly MachineEntity[]) {
    this.#machines = machines;
  }

  /** A machine with what was set of it. */
  describe(machine: MachineEntity): MachineEntity {
    const { metadata: _, ...bare } = machine;
    const metadata = this.#metadata(machine);
    const maxUnits = this.#limits.get(machine.id);
    return {
      ...bare,
      ...(Object.keys(metadata).length > 0 && { metadata }),
      ...(maxUnits !== undefined && { maxUnits }),
    };
  }

  answer(request: SettingsRequest = {}): [number, object] {
    for (const key of Object.keys(request))
      if (!(key in defaults)) return [400, { error: { code: 400, message: `there is no setting "${key}"` } }];
    for (const [key, value] of Object.entries(request)) {
      if (value === null) this.set.delete(key);
      else this.set.set(key, String(value));
    }
    const settings = Object.entries(defaults).map(([key, fallback]): SettingEntity => {
      const problem = this.problems.get(key);
      return {
        default: fallback,
        expected: 'something',
        help: `what ${key} is for`,
        isSet: this.set.has(key),
        key,
        ...(problem !== undefined && { problem }),
        value: this.set.get(key) ?? fallback,
      };
    });
    return [200, { settings }];
  }

  answerMetadata(id: string, { set = {}, unset = [], reset = [] }: MachineMetadataRequest): [number, object] {
    const overrides = this.#overrides.get(id) ?? new Map<string, string>();
    this.#overrides.set(id, overrides);
    const machine = this.#machines.find((each) => each.id === id);
    const hidden = unset.filter((key) => machine === undefined || key in (machine.metadata ?? {}));
    for (const key of [...unset, ...reset]) overrides.delete(key);
    for (const key of hidden) overrides.set(key, '');
    for (const [key, value] of Object.entries(set)) overrides.set(key, value);
    const answer = { machineID: id, ...(hidden.length > 0 && { hidden }) };
    return [200, machine === undefined ? answer : { ...answer, metadata: this.#metadata(machine) }];
  }

  answerLimit(id: string, { maxUnits }: MachineLimitRequest): [number, object] {
    if (maxUnits === null) this.#limits.delete(id);
    else this.#limits.set(id, maxUnits);
    if (maxUnits !== null) return [200, { machineID: id, maxUnits, source: 'api' }];
    const all = this.set.get('max_units');
    return [200, { machineID: id, ...(all !== undefined && { maxUnits: Number(all), source: 'cluster' }) }];
  }

  #metadata({ id, metadata = {} }: MachineEntity): Record<string, string> {
    const all = { ...metadata, ...Object.fromEntries(this.#overrides.get(id) ?? []) };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
  }
}

const defaults: Readonly<Record<string, string>> = { strategy: 'spread', max_units: 'none', loss_grace: 'agent_ttl' };
