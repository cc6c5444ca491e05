import type { UnitStatus } from './unit-manager.js';

/** systemctl says one of these when no systemd answers; its wording differs between versions. */
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

/** What `systemctl list-units --output=json` lists: the units in systemd's memory. */
export function parseLoadedUnits(json: string): Map<string, UnitStatus> {
  const rows: readonly (Omit<UnitStatus, 'job'> & { readonly unit: string; readonly job?: string })[] =
    JSON.parse(json);
  // Without any job there is no such column.
  return new Map(rows.map(({ unit, load, active, sub, job }) => [unit, { load, active, sub, job: job || undefined }]));
}
