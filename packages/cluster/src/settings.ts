import { findNearest, type Strategy, strategies } from '@flotilla/unit';
import { formatDurationMs, parseDurationMs } from './duration.js';

/** What a cluster can be told to do otherwise, read: `undefined` where the leader's own options decide. */
export interface ClusterSettings {
  /** For units that have no `Strategy=`. */
  readonly strategy: Strategy;
  /** For machines that have no limit of their own: see {@link Machine.maxUnits}. @default no limit */
  readonly maxUnits: number | undefined;
  /**
   * How long a new leader waits for machines that it has never seen; and each one, once more, for those that are still
   * gone when the brake ends. @default the options of the leader's fleetd
   */
  readonly lossGraceMs: number | undefined;
  /** How long a machine is waited for that was alive a moment ago; 0: not at all. @default a third of `agent_ttl` and 2 s */
  readonly lossSettleMs: number | undefined;
  /** More than this share of the machines lost within the window moves nothing; 100 is never exceeded. */
  readonly lossBrakePercent: number;
  /** @default twice the leader's `agent_ttl` */
  readonly lossBrakeWindowMs: number | undefined;
  /** This share of the machines, and at least one, is taken as lost at once ... */
  readonly lossBurstPercent: number;
  /** ... and one more each time that this has passed. */
  readonly lossIntervalMs: number;
}

/** What holds where nothing is set. */
export const defaultSettings: ClusterSettings = {
  strategy: 'spread',
  maxUnits: undefined,
  lossGraceMs: undefined,
  lossSettleMs: undefined,
  lossBrakePercent: 50,
  lossBrakeWindowMs: undefined,
  lossBurstPercent: 10,
  lossIntervalMs: 10_000,
};

/** A setting's name: its key in the store, in the API and on the command line. */
export type SettingKey =
  | 'strategy'
  | 'max_units'
  | 'loss_grace'
  | 'loss_settle'
  | 'loss_brake'
  | 'loss_brake_window'
  | 'loss_burst'
  | 'loss_interval';

/** A cluster setting, for people. */
export interface Setting {
  /** What a value looks like, after "must be". */
  readonly expected: string;
  /** The default: a value, or the leader's option that it follows. No blanks. */
  readonly fallback: string;
  /** One line. */
  readonly help: string;
}

/** How a setting's text becomes a field, and back. */
interface Codec extends Setting {
  /** `undefined`: `text` is no value. */
  readonly read: (text: string) => Partial<ClusterSettings> | undefined;
  /** `undefined`: the setting is to be left out. */
  readonly print: (settings: ClusterSettings) => string | undefined;
}

/** Taste: whoever waits for a lost machine longer than this has forgotten it. */
const longestMs = 7 * 24 * 3_600_000;

const durationExpected = 'a duration from 1ms to 168h, like 30s or 1m30s';
const percentExpected = 'a percentage from 1% to 100%';

const codecs: Readonly<Record<SettingKey, Codec>> = {
  strategy: {
    expected: 'spread, binpack or random',
    fallback: 'spread',
    help: 'which of the machines that fit gets a unit: the emptiest, the fullest, or any',
    read: (text) => field(findStrategy(text), (strategy) => ({ strategy })),
    print: ({ strategy }) => strategy,
  },
  max_units: {
    expected: 'a whole number from 1, or none',
    fallback: 'none',
    help: 'how many units a machine takes that has no limit of its own; global units that run there count',
    read: (text) => (text === 'none' ? { maxUnits: undefined } : field(findCount(text), (maxUnits) => ({ maxUnits }))),
    print: ({ maxUnits }) => (maxUnits === undefined ? 'none' : String(maxUnits)),
  },
  loss_grace: {
    expected: durationExpected,
    fallback: 'agent_ttl',
    help: 'how long machines are waited for that a new leader has never seen, and those still gone when loss_brake lets go',
    read: (text) => field(findDurationMs(text), (lossGraceMs) => ({ lossGraceMs })),
    print: ({ lossGraceMs }) => field(lossGraceMs, formatDurationMs),
  },
  loss_settle: {
    expected: 'a duration from 0s to 168h, like 10s',
    fallback: 'agent_ttl/3+2s',
    help: 'how long a machine is waited for that was alive a moment ago, as more may follow it; 0s: not at all',
    read: (text) => field(isZero(text) ? 0 : findDurationMs(text), (lossSettleMs) => ({ lossSettleMs })),
    print: ({ lossSettleMs }) => field(lossSettleMs, (ms) => (ms === 0 ? '0s' : formatDurationMs(ms))),
  },
  loss_brake: {
    expected: percentExpected,
    fallback: '50%',
    help: 'no unit moves if more than this share of the machines is lost within loss_brake_window; 100% is never more',
    read: (text) => field(findPercent(text), (lossBrakePercent) => ({ lossBrakePercent })),
    print: ({ lossBrakePercent }) => `${lossBrakePercent}%`,
  },
  loss_brake_window: {
    expected: durationExpected,
    fallback: '2*agent_ttl',
    help: 'the time within which lost machines are counted for loss_brake',
    read: (text) => field(findDurationMs(text), (lossBrakeWindowMs) => ({ lossBrakeWindowMs })),
    print: ({ lossBrakeWindowMs }) => field(lossBrakeWindowMs, formatDurationMs),
  },
  loss_burst: {
    expected: percentExpected,
    fallback: '10%',
    help: 'the share of the machines, at least one, whose loss moves their units at once; more wait for loss_interval',
    read: (text) => field(findPercent(text), (lossBurstPercent) => ({ lossBurstPercent })),
    print: ({ lossBurstPercent }) => `${lossBurstPercent}%`,
  },
  loss_interval: {
    expected: durationExpected,
    fallback: '10s',
    help: 'beyond loss_burst, the units of one more lost machine move each time that this has passed',
    read: (text) => field(findDurationMs(text), (lossIntervalMs) => ({ lossIntervalMs })),
    print: ({ lossIntervalMs }) => formatDurationMs(lossIntervalMs),
  },
};

/** Every cluster setting, in the order in which people are shown them. */
export const settingTable: Readonly<Record<SettingKey, Setting>> = codecs;

/** In the order of {@link settingTable}. */
export const settingKeys = Object.keys(codecs) as SettingKey[];

export function isSettingKey(text: string): text is SettingKey {
  return Object.hasOwn(codecs, text);
}

/** What is wrong with `key=text`, as one sentence that names the key; `undefined` if it can be set. */
export function findSettingProblem(key: string, text: string): string | undefined {
  if (!isSettingKey(key)) return unknownSetting(key);
  if (codecs[key].read(text.trim()) !== undefined) return undefined;
  return `${key} is ${JSON.stringify(text)}, but must be ${codecs[key].expected}`;
}

/** What to say of a setting that does not exist. */
export function unknownSetting(key: string): string {
  const nearest = findNearest(key, settingKeys);
  const hint = nearest === undefined ? `the settings are ${settingKeys.join(', ')}` : `did you mean ${nearest}?`;
  return `there is no setting ${JSON.stringify(key)}: ${hint}`;
}

/**
 * Reads what is set. One value that can't be used leaves the others as they are.
 *
 * @param texts By key. Keys that this version does not know are passed over: a newer one may have set them.
 * @returns The settings, with the default for each that is absent or bad; and by key what is wrong with the bad ones.
 */
export function parseSettings(texts: ReadonlyMap<string, string>): {
  readonly settings: ClusterSettings;
  readonly problems: ReadonlyMap<SettingKey, string>;
} {
  let settings = defaultSettings;
  const problems = new Map<SettingKey, string>();
  for (const key of settingKeys) {
    const text = texts.get(key);
    if (text === undefined) continue;
    const problem = findSettingProblem(key, text);
    if (problem === undefined) settings = { ...settings, ...codecs[key].read(text.trim()) };
    else problems.set(key, problem);
  }
  return { settings, problems };
}

/** Settings as {@link parseSettings} reads them, by key; what the leader's options decide is left out. */
export function printSettings(settings: ClusterSettings): ReadonlyMap<SettingKey, string> {
  const texts = new Map<SettingKey, string>();
  for (const key of settingKeys) {
    const text = codecs[key].print(settings);
    if (text !== undefined) texts.set(key, text);
  }
  return texts;
}

/** How many units a machine takes: what it was told, else what it says itself, else what goes for all. */
export function effectiveLimit(limits: {
  readonly told: number | undefined;
  readonly own: number | undefined;
  readonly all: number | undefined;
}): number | undefined {
  return limits.told ?? limits.own ?? limits.all;
}

function field<T, F>(value: T | undefined, make: (value: T) => F): F | undefined {
  return value === undefined ? undefined : make(value);
}

function findStrategy(text: string): Strategy | undefined {
  return strategies.find((strategy) => strategy === text);
}

function findCount(text: string): number | undefined {
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  return count >= 1 && Number.isSafeInteger(count) ? count : undefined;
}

function findDurationMs(text: string): number | undefined {
  const ms = Math.round(parseDurationMs(text) ?? 0);
  return ms >= 1 && ms <= longestMs ? ms : undefined;
}

function isZero(text: string): boolean {
  return /^0(ms|s|m|h)?$/.test(text);
}

function findPercent(text: string): number | undefined {
  const percent = Number(/^(\d{1,3})%?$/.exec(text)?.[1] ?? 0);
  return percent >= 1 && percent <= 100 ? percent : undefined;
}
