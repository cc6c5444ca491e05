import { type ClusterSettings, defaultSettings, type MachineId, parseSettings } from '@flotilla/cluster';
import {
  type KeyValue,
  keys,
  type MachineSettingsRecord,
  type MetadataRecord,
  type ParsedKey,
  type Revision,
  type SettingRecord,
} from '@flotilla/registry';
import { type Entry, MirrorTable } from './mirror-table.js';
import {
  badRecord,
  readMachineSettingsEntry,
  readMetadataEntry,
  readSettingEntry,
  type ToldOfMachine,
} from './mirrored-records.js';

export interface MirroredSettingsOptions {
  /** Something was said of a machine, which need not be there. */
  readonly onMachineTold: (machine: MachineId) => void;
  /** The cluster's settings are others. */
  readonly onChanged: (now: ClusterSettings, before: ClusterSettings) => void;
  /** A value that can't be used; the default holds. */
  readonly onUnreadable: (key: string, modRevision: Revision, error: unknown) => void;
}

/** A key about what the cluster or a machine was told. */
export type SettingsKey = Extract<ParsedKey, { kind: 'setting' | 'machine-settings' | 'metadata' }>;

export function isSettingsKey(key: ParsedKey): key is SettingsKey {
  return key.kind === 'setting' || key.kind === 'machine-settings' || key.kind === 'metadata';
}

const noOverrides: ReadonlyMap<string, string> = new Map();

/** What the cluster and its machines were told through the API. */
export class MirroredSettings {
  readonly #options: MirroredSettingsOptions;
  readonly #texts = new MirrorTable<string, SettingRecord>();
  readonly #machines = new MirrorTable<MachineId, MachineSettingsRecord>();
  readonly #metadata = new MirrorTable<string, MetadataRecord>();
  readonly #overrides = new Map<MachineId, Map<string, string>>();
  #settings: ClusterSettings = defaultSettings;

  constructor(options: MirroredSettingsOptions) {
    this.#options = options;
  }

  /** The cluster's settings; where a value can't be used, the default. */
  get settings(): ClusterSettings {
    return this.#settings;
  }

  /** What was said of a machine. */
  toldOf(machine: MachineId): ToldOfMachine {
    return {
      overrides: this.#overrides.get(machine) ?? noOverrides,
      toldLimit: this.#machines.get(machine)?.record.maxUnits,
      limitOfAll: this.#settings.maxUnits,
    };
  }

  /** @throws FleetError `bad-record`: what stood there before is forgotten. */
  put(parsed: SettingsKey, kv: KeyValue): void {
    switch (parsed.kind) {
      case 'setting':
        this.#put(this.#texts, parsed.key, { kv, read: readSettingEntry, note: () => this.#noteTexts() });
        break;
      case 'machine-settings':
        this.#put(this.#machines, parsed.machine, {
          kv,
          read: readMachineSettingsEntry,
          note: () => this.#options.onMachineTold(parsed.machine),
        });
        break;
      case 'metadata':
        this.#put(this.#metadata, kv.key, { kv, read: readMetadataEntry, note: () => this.#noteMetadata(parsed) });
    }
  }

  delete(parsed: SettingsKey, revision: Revision): void {
    switch (parsed.kind) {
      case 'setting':
        if (this.#texts.delete(parsed.key, revision)) this.#noteTexts();
        break;
      case 'machine-settings':
        if (this.#machines.delete(parsed.machine, revision)) this.#options.onMachineTold(parsed.machine);
        break;
      case 'metadata':
        if (this.#metadata.delete(keys.metadata(parsed.machine, parsed.key), revision)) this.#noteMetadata(parsed);
    }
  }

  #put<K extends string, R>(table: MirrorTable<K, R>, key: K, { kv, read, note }: News<R>): void {
    if (!table.isNews(key, kv.modRevision)) return;
    try {
      table.put(key, read(kv));
    } catch (error) {
      table.delete(key, kv.modRevision);
      throw error;
    } finally {
      note();
    }
  }

  #noteMetadata({ machine, key }: Extract<SettingsKey, { kind: 'metadata' }>): void {
    const value = this.#metadata.get(keys.metadata(machine, key))?.record.value;
    const overrides = this.#overrides.get(machine) ?? new Map<string, string>();
    if (value === undefined) overrides.delete(key);
    else overrides.set(key, value);
    if (overrides.size > 0) this.#overrides.set(machine, overrides);
    else this.#overrides.delete(machine);
    this.#options.onMachineTold(machine);
  }

  #noteTexts(): void {
    const texts = [...this.#texts.entries].map(([key, { record }]) => [key, record.value] as const);
    const { settings, problems } = parseSettings(new Map(texts));
    for (const [key, problem] of problems) {
      const modRevision = this.#texts.get(key)?.modRevision ?? 0;
      this.#options.onUnreadable(keys.setting(key), modRevision, badRecord(`${problem}; the default holds`));
    }
    const before = this.#settings;
    this.#settings = settings;
    this.#options.onChanged(settings, before);
  }
}

/** A put, how it is read, and what is to be done when it was. */
interface News<R> {
  readonly kv: KeyValue;
  readonly read: (kv: KeyValue) => Entry<R>;
  readonly note: () => void;
}
