import { createHash } from 'node:crypto';

/**
 * How a unit behaves. `again`: `Restart=always`; `crashing`: ends by itself every few seconds and is restarted; `failing`:
 * the same, and is not; `broken`: can't be started; `slow`: takes seconds to stop; `installed`: has an `[Install]` section.
 */
export type UnitKind = 'plain' | 'again' | 'crashing' | 'failing' | 'broken' | 'slow' | 'installed';

/** A unit that clients ask for. */
export interface ChaosUnit {
  readonly name: string;
  readonly kind: UnitKind;
  readonly isGlobal: boolean;
  /** It has to be where this one is. */
  readonly machineOf?: string;
  /** It must not be where another one with this is. */
  readonly apart?: string;
  /** It is stopped where it is cut off (`OnPartition=stop`), so that it never runs twice. */
  readonly isOnce?: boolean;
  /** Its copies are replaced in turns (`Update=rolling`). One that stays down would keep its turn, so it is to come back by itself. */
  readonly isRolling?: boolean;
}

const unit = (name: string, kind: UnitKind, rules: Partial<ChaosUnit> = {}): ChaosUnit => {
  return { name: `test-${name}.service`, kind, isGlobal: false, ...rules };
};
const apart = { apart: 'test-apart-*' };
const isGlobal = { isGlobal: true };
const isOnce = { isOnce: true };
const isRolling = { isRolling: true };

export const chaosUnits: readonly ChaosUnit[] = [
  ...['plain-1', 'plain-2', 'plain-3', 'plain-4'].map((name) => unit(name, 'plain')),
  ...['inst@1', 'inst@2', 'inst@3'].map((name) => unit(name, 'again', isRolling)),
  ...['again-1', 'again-2'].map((name) => unit(name, 'again')),
  ...['apart-1', 'apart-2', 'apart-3'].map((name) => unit(name, 'plain', apart)),
  ...['slow-1', 'slow-2'].map((name) => unit(name, 'slow')),
  unit('side-1', 'plain', { machineOf: 'test-plain-1.service' }),
  unit('side-2', 'again', { machineOf: 'test-slow-1.service' }),
  unit('crashing-1', 'crashing'),
  unit('failing-1', 'failing'),
  unit('broken-1', 'broken'),
  unit('once-1', 'plain', isOnce),
  unit('once-2', 'again', isOnce),
  unit('once-3', 'slow', isOnce),
  unit('installed-1', 'installed'),
  unit('global-1', 'plain', isGlobal),
  unit('global-2', 'again', { ...isGlobal, ...isRolling }),
  unit('global-3', 'slow', isGlobal),
];

const byName = new Map(chaosUnits.map((each) => [each.name, each]));

export function findChaosUnit(name: string): ChaosUnit | undefined {
  return byName.get(name);
}

/** Two versions of which only the comment differs follow each other: 0 and 1, 2 and 3. */
export const versions = [0, 1, 2, 3] as const;
export type Version = (typeof versions)[number];

/** Equal for versions of which only comments differ. */
export function contentOf(version: Version): number {
  return Math.floor(version / 2);
}

/** The file of a unit, which notes each of its starts and stops with the program `note`. */
export function unitText(name: string, version: Version, note: string): string {
  const {
    kind,
    isGlobal: isEverywhere,
    machineOf,
    apart: glob,
    isOnce: isSingle = false,
    isRolling: isInTurn = false,
  } = byName.get(name) ?? unit('none', 'plain');
  return [
    `# version ${version}, of %n`,
    '[Unit]',
    'Description=%p, %i',
    'StartLimitIntervalSec=0',
    '[Service]',
    `Environment=VERSION=${contentOf(version)}`,
    `ExecStartPre=${note} start %n`,
    ...serviceLines[kind],
    `ExecStopPost=${note} stop %n`,
    ...(kind === 'installed' ? ['[Install]', 'WantedBy=multi-user.target'] : []),
    '[X-Fleet]',
    ...(isEverywhere ? ['Global=true'] : []),
    ...(machineOf === undefined ? [] : [`MachineOf=${machineOf}`]),
    ...(glob === undefined ? [] : [`Conflicts=${glob}`]),
    // Shorter than it takes a slow one to stop.
    ...(isSingle ? ['OnPartition=stop', 'OnPartitionStopSec=2s'] : []),
    ...(isInTurn ? ['Update=rolling'] : []),
    '',
  ].join('\n');
}

const sleeps = 'ExecStart=/bin/sleep infinity';
const crashes = 'ExecStart=/bin/sh -c "sleep 4; exit 3"';
const serviceLines: Readonly<Record<UnitKind, readonly string[]>> = {
  plain: [sleeps],
  installed: [sleeps],
  again: [sleeps, 'Restart=always', 'RestartSec=200ms'],
  crashing: [crashes, 'Restart=on-failure', 'RestartSec=2s'],
  failing: [crashes],
  broken: ['ExecStart=/nowhere/to/be/found'],
  slow: [sleeps, 'ExecStop=/bin/sleep 3'],
};

/** As the keys of unit files are made. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
