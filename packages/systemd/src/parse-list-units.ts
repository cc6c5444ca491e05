import { SystemdUnreachable } from './errors.js';
import type { UnitStatus } from './unit-manager.js';
import type { Listing } from './unit-states.js';

/** Field order of systemd's D-Bus signature `a(ssssssouso)` for a unit. */
const unitField = { id: 0, load: 2, active: 3, sub: 4, jobId: 7, jobType: 8 } as const;

/**
 * systemd's answer to ListUnitsByNames, in the order of `names`. Rows are matched by position, since a row carries a
 * unit's own name where an alias was asked for; systemd leaves out what it does not take for a name.
 */
export function parseListUnits(answer: unknown, names: readonly string[]): Listing {
  if (!Array.isArray(answer)) throw new SystemdUnreachable('systemd has answered with something else than a listing');
  const rows = answer.filter((row): row is unknown[] => Array.isArray(row));
  const statuses = new Map<string, UnitStatus>();
  const aliases = new Map<string, string>();
  for (const [index, row] of rows.entries()) {
    const own = String(row[unitField.id]);
    const name = (rows.length === names.length ? names[index] : undefined) ?? own;
    if (name !== own) aliases.set(name, own);
    statuses.set(name, {
      load: String(row[unitField.load]),
      active: String(row[unitField.active]),
      sub: String(row[unitField.sub]),
      job: row[unitField.jobId] === 0 ? undefined : String(row[unitField.jobType]),
    });
  }
  return { statuses, aliases };
}
