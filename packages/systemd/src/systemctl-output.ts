import type { UnitStatus } from './unit-manager.js';

/** systemctl and busctl say one of these when no systemd answers; its wording differs between versions. */
const unreachable =
  /Failed to (?:connect to|get|create) (?:system |user |D-?Bus |bus )*(?:bus|connection)|not been booted with systemd|Transport endpoint is not connected/i;

/** Whether a call failed because there is nobody to call, not because of its units. */
export function saysUnreachable(stderr: string): boolean {
  return unreachable.test(stderr);
}

/** Whether a verb failed because its unit does not exist: then there is nothing to stop, disable or forget. */
export function isNothingToDo(message: string): boolean {
  return /does not exist|not loaded|not found/i.test(message);
}

/**
 * The units that a `systemctl start`, `stop`, `restart` or `kill` of many could not do, with systemd's reason. Such a call goes
 * on after a failure, so the units that are not named are done.
 */
export function parseFailures(stderr: string): Map<string, string> {
  const failures = new Map<string, string>();
  for (const line of stderr.split('\n')) {
    const match = /^Failed to \w+ (?:unit )?(\S+\.[a-z]+): (.+)$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) failures.set(match[1], match[2]);
  }
  return failures;
}

/** The last components of the links that `systemctl link` or `enable` says it made. */
export function parseCreatedLinks(output: string): Set<string> {
  const links = new Set<string>();
  for (const match of output.matchAll(/^Created symlink "?(\S+?)"? (?:\u2192|->) /gmu)) {
    const name = match[1]?.split('/').at(-1);
    if (name !== undefined) links.add(name);
  }
  return links;
}

/** Field order of systemd's D-Bus signature `a(ssssssouso)` for a unit. */
const unitField = { id: 0, load: 2, active: 3, sub: 4, jobId: 7, jobType: 8 } as const;

/**
 * The answer to ListUnitsByNames as `busctl --json=short` prints it, in the order of `names`. Rows are matched by position,
 * since a row carries a unit's own name where an alias was asked for.
 */
export function parseListUnits(json: string, names: readonly string[]): Map<string, UnitStatus> {
  const reply: { readonly data: readonly [readonly (readonly (string | number)[])[]] } = JSON.parse(json);
  const rows = reply.data[0];
  const statuses = new Map<string, UnitStatus>();
  for (const [index, row] of rows.entries()) {
    const name = rows.length === names.length ? names[index] : String(row[unitField.id]);
    if (name === undefined) continue;
    statuses.set(name, {
      load: String(row[unitField.load]),
      active: String(row[unitField.active]),
      sub: String(row[unitField.sub]),
      job: row[unitField.jobId] === 0 ? undefined : String(row[unitField.jobType]),
    });
  }
  return statuses;
}

/**
 * The blocks of `systemctl show -p LoadState,ActiveState,SubState,Job`, in the order of `names`, with the types that
 * `systemctl list-jobs --plain --no-legend` gives to the jobs.
 */
export function parseShow(show: string, jobs: string, names: readonly string[]): Map<string, UnitStatus> {
  const typeByJob = new Map<string, string>();
  for (const line of jobs.split('\n')) {
    const [id, , type] = line.trim().split(/\s+/);
    if (id !== undefined && type !== undefined) typeByJob.set(id, type);
  }
  const blocks = show.trim().split(/\n\n+/);
  const statuses = new Map<string, UnitStatus>();
  for (const [index, name] of names.entries()) {
    const block = blocks[index] ?? '';
    const property = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(block)?.[1] ?? '';
    const job = property('Job');
    statuses.set(name, {
      load: property('LoadState') || 'not-found',
      active: property('ActiveState') || 'inactive',
      sub: property('SubState') || 'dead',
      job: job === '' || job === '0' ? undefined : (typeByJob.get(job) ?? 'start'),
    });
  }
  return statuses;
}

/** Names and ActiveState of what `systemctl list-units --output=json` lists: the units in systemd's memory. */
export function parseLoadedUnits(json: string): Map<string, string> {
  const rows: readonly { readonly unit: string; readonly active: string }[] = JSON.parse(json);
  return new Map(rows.map((row) => [row.unit, row.active]));
}
