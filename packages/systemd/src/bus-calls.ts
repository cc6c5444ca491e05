import type { UnitName } from '@flotilla/unit';
import { findErrorName } from './dbus-connection.js';
import { SystemdUnreachable } from './errors.js';
import type { SystemdBus } from './systemd-bus.js';

/**
 * Up to so many units are told to systemd over the bus, each by a call of its own: that takes 1 ms, a start of systemctl 10 ms.
 * Of many units at once systemctl costs less, as it needs no dbus-daemon.
 */
const mostUnits = 8;

/** What systemd calls the errors that are about a unit. */
const aboutUnits = 'org.freedesktop.systemd1.';

/** Given by the bus if whom it has asked goes away before it answers. */
const noReply = 'org.freedesktop.DBus.Error.NoReply';

const members = { start: 'StartUnit', stop: 'StopUnit', restart: 'RestartUnit' } as const;

/** What can be told over the bus of few units at once. */
export type BusVerb = keyof typeof members;

/** What was told over the bus, and what is left to be told by systemctl. */
export interface BusOutcome {
  readonly failures: ReadonlyMap<UnitName, string>;
  /** Nothing was done with these. */
  readonly left: readonly UnitName[];
}

/**
 * Queues a job for each unit, if there are few and there is a bus.
 *
 * @throws SystemdUnreachable if a call has got lost: nobody knows what it did.
 */
export async function queueJobsByBus(
  bus: SystemdBus | undefined,
  verb: BusVerb,
  names: readonly UnitName[],
): Promise<BusOutcome> {
  const failures = new Map<UnitName, string>();
  if (bus === undefined || names.length > mostUnits) return { failures, left: names };
  const left: UnitName[] = [];
  await Promise.all(
    names.map(async (name) => {
      const outcome = await tell(() => bus.call(members[verb], 'ss', [name, 'replace']));
      if (outcome.kind === 'left') left.push(name);
      else if (outcome.kind === 'refused') failures.set(name, outcome.message);
    }),
  );
  return { failures, left };
}

/**
 * Links unit files like `systemctl link --runtime --no-reload --force`, if there are few and there is a bus.
 *
 * @returns The links that were made; `undefined` if that, and why, is left to systemctl to find out.
 * @throws SystemdUnreachable
 */
export async function linkByBus(
  bus: SystemdBus | undefined,
  paths: readonly string[],
): Promise<readonly string[] | undefined> {
  if (bus === undefined || paths.length > mostUnits) return undefined;
  const outcome = await tell(() => bus.call('LinkUnitFiles', 'asbb', [paths, true, true]));
  return outcome.kind === 'done' ? linksOf(outcome.answer) : undefined;
}

type Told =
  | { readonly kind: 'done'; readonly answer: unknown }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'left' };

async function tell(call: () => Promise<{ readonly answer: unknown } | undefined>): Promise<Told> {
  try {
    const answered = await call();
    return answered === undefined ? { kind: 'left' } : { kind: 'done', ...answered };
  } catch (error) {
    const name = findErrorName(error);
    if (name === undefined || name === noReply) throw new SystemdUnreachable('a call over D-Bus got lost', error);
    const message = error instanceof Error ? error.message : String(error);
    return name.startsWith(aboutUnits) ? { kind: 'refused', message } : { kind: 'left' };
  }
}

/** Of systemd's changes, `a(sss)`: type, file, what it links to. */
function linksOf(answer: unknown): string[] {
  if (!Array.isArray(answer)) throw new SystemdUnreachable('systemd has answered with something else than its changes');
  const changes = answer.filter((change): change is unknown[] => Array.isArray(change));
  return changes.flatMap(([type, file]) => (type === 'symlink' ? [String(file)] : []));
}
