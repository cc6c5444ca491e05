import { createHash } from 'node:crypto';
import type { MachineId } from '@flotilla/cluster';
import {
  encodeRecord,
  type PlacementRecord,
  type ScheduleRecord,
  type StateRecord,
  type UnitRecord,
} from '@flotilla/registry';
import type { UnitHash, UnitName } from '@flotilla/unit';

/** A unit of the benchmark, with everything that is written about it. */
export interface LayoutUnit {
  readonly name: UnitName;
  readonly file: LayoutFile;
  readonly machine: MachineId;
  readonly unit: UnitRecord;
}

interface LayoutFile {
  readonly sha256: string;
  readonly hash: UnitHash;
  readonly bytes: Uint8Array;
}

const machineCount = 100;
const unitsPerFile = 100;

export const layoutMachines: readonly MachineId[] = Array.from(
  { length: machineCount },
  (_, at) => digest('md5', `machine ${at}`) as MachineId,
);

/** Instances of templates, a hundred of each, dealt out to a hundred machines. */
export function* layoutUnits(count: number): Generator<LayoutUnit> {
  let file = layoutFile(0);
  for (let at = 0; at < count; at++) {
    if (at % unitsPerFile === 0) file = layoutFile(at / unitsPerFile);
    const machine = layoutMachines[(at * 7) % machineCount] ?? ('' as MachineId);
    const template = String(Math.floor(at / unitsPerFile)).padStart(4, '0');
    const name = `worker-${template}@${String(at % unitsPerFile).padStart(2, '0')}.service` as UnitName;
    const unit = { hash: file.hash, file: file.sha256, desiredState: 'launched', order: 1, isGlobal: false } as const;
    yield { name, file, machine, unit };
  }
}

/** What the leader writes of a unit that was created at `uid`. */
export function placementOf({ machine }: LayoutUnit): Uint8Array {
  return encodeRecord<PlacementRecord>({ machine });
}

export function scheduleOf({ unit: { hash, file, desiredState, order } }: LayoutUnit, uid: number): Uint8Array {
  return encodeRecord<ScheduleRecord>({ hash, file, desiredState, order, uid, isLeaving: false });
}

/** What the agent writes of it. */
export function stateOf({ unit }: LayoutUnit, uid: number): Uint8Array {
  const systemd = { load: 'loaded', active: 'active', sub: 'running' };
  return encodeRecord<StateRecord>({
    ...systemd,
    hash: unit.hash,
    uid,
    order: 1,
    isLaunched: true,
    since: 1_700_000_000_000,
  });
}

function layoutFile(index: number): LayoutFile {
  const environment = Array.from({ length: 8 }, (_, at) => `Environment=SETTING_${at}=value-${index}-${at}`).join('\n');
  const text = `[Unit]
Description=Worker ${index}, instance %i
After=network-online.target
Wants=network-online.target

[Service]
${environment}
ExecStartPre=/usr/bin/mkdir -p /run/worker-${index}
ExecStart=/usr/bin/worker --queue=${index} --instance=%i --listen=127.0.0.1:0
Restart=on-failure
RestartSec=5

[X-Fleet]
MachineMetadata=role=worker
`;
  const hash = digest('sha1', text) as UnitHash;
  return { sha256: digest('sha256', text), hash, bytes: Buffer.from(text) };
}

function digest(algorithm: string, text: string): string {
  return createHash(algorithm).update(text).digest('hex');
}
