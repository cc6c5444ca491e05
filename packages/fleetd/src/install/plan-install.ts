import { join } from 'node:path';
import { type Places, systemctl } from './places.js';
import { journalHint, type Step } from './steps.js';
import { fleetGroupFile, fleetServiceUnit, fleetSocketUnit, fleetUnits } from './unit-files.js';

/** A file on a host. */
export interface FoundFile {
  readonly content: Buffer;
  /** Its permission bits. */
  readonly mode: number;
}

/** Files by path; what is not there is absent. */
export type FoundFiles = ReadonlyMap<string, FoundFile>;

export interface InstallInput {
  readonly places: Places;
  /** The programs to place, by name. */
  readonly programs: ReadonlyMap<string, Buffer>;
  /** The Node to name in `fleet.service`; `undefined` if services find a fitting one by themselves. */
  readonly node: string | undefined;
  /** The configuration for who has none. */
  readonly sample: string;
  /** What there is at the paths of {@link installedPaths}. */
  readonly found: FoundFiles;
  /** Whether there is a directory for unit files. */
  readonly hasUnitDirectory: boolean;
  /** Whether fleetd is to run at once. */
  readonly isStarting: boolean;
}

const programMode = 0o755;
const plainMode = 0o644;
const directoryMode = 0o755;
/** It may hold a password. */
const configModes = { system: 0o640, user: 0o600 } as const;

/** What an installation writes, but for the configuration, which belongs to the host's owner. */
export function installedPaths({ programs, units: directory, groupFile }: Places): string[] {
  const named = ['fleetd', 'fleetctl'].map((name) => join(programs, name));
  const unitPaths = fleetUnits.map((name) => join(directory, name));
  return [...named, ...(groupFile === undefined ? [] : [groupFile]), ...unitPaths];
}

/**
 * Decides how fleetd gets onto a host, in the order of doing. Repeating it replaces what is different, and a fleetd that
 * runs is restarted, which touches no unit.
 */
export function planInstall(input: InstallInput): Step[] {
  const { places, programs, found, isStarting } = input;
  const socketPath = join(places.units, 'fleet.socket');
  const steps: Step[] = [];
  const put = (path: string, content: Buffer | string, mode = plainMode) =>
    steps.push(placeFile({ path, content: Buffer.from(content), mode }, found));
  for (const [name, content] of programs) put(join(places.programs, name), content, programMode);
  if (places.groupFile !== undefined) {
    put(places.groupFile, fleetGroupFile);
    steps.push({ kind: 'run', argv: ['systemd-sysusers', places.groupFile] });
  }
  steps.push(placeConfig(input), placeUnitDirectory(input));
  const { manager } = places;
  put(socketPath, fleetSocketUnit({ socket: places.socket, manager }));
  put(join(places.units, 'fleet.service'), fleetServiceUnit({ command: commandOf(input), manager }));
  steps.push({ kind: 'run', argv: systemctl(places, 'daemon-reload') });
  steps.push({ kind: 'run', argv: systemctl(places, 'enable', ...fleetUnits) });
  // A changed socket is bound anew; one that stays has clients wait in it while fleetd restarts.
  const isSocketNew = steps.some((step) => step.kind === 'write' && step.path === socketPath);
  const restarted = isSocketNew ? fleetUnits : fleetUnits.slice(1);
  const restart: Step = { kind: 'run', argv: systemctl(places, 'restart', ...restarted), hint: journalHint(places) };
  if (isStarting) steps.push(restart);
  return steps;
}

function commandOf({ places, node }: InstallInput): string[] {
  const program = [join(places.programs, 'fleetd'), ...(places.manager === 'user' ? ['--user'] : [])];
  return node === undefined ? program : [node, ...program];
}

function placeFile({ path, ...file }: FoundFile & { readonly path: string }, found: FoundFiles): Step {
  const there = found.get(path);
  const isSame = there !== undefined && there.mode === file.mode && there.content.equals(file.content);
  return isSame ? { kind: 'keep', path, why: 'it is up to date' } : { kind: 'write', path, ...file };
}

function placeConfig({ places, found, sample }: InstallInput): Step {
  const { configFile: path, manager } = places;
  if (found.has(path)) return { kind: 'keep', path, why: 'it is yours' };
  return { kind: 'write', path, content: Buffer.from(sample), mode: configModes[manager] };
}

function placeUnitDirectory({ places: { unitDirectory: path }, hasUnitDirectory }: InstallInput): Step {
  return hasUnitDirectory ? { kind: 'keep', path, why: 'it is yours' } : { kind: 'make', path, mode: directoryMode };
}
