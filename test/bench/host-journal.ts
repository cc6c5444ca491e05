import type { TestHost } from '../lab/index.js';

export type Verb = 'start' | 'stop';

/** What systemd notes when a unit has started, and when it has stopped. @see sd-messages.h */
const messageIds: Readonly<Record<Verb, string>> = {
  start: '39f53479d3a045ac8e11786248231fbf',
  stop: '9d1aaa27d60140bd96365438aad20286',
};

interface Entry {
  readonly atMs: number;
  readonly unit: string;
  readonly message: string;
}

export interface Order {
  readonly verb: Verb;
  readonly template: string;
  readonly fromMs: number;
}

/** When systemd was done with the last instance of a template. */
export async function lastOf(host: TestHost, { verb, template, fromMs }: Order): Promise<number> {
  return Math.max(...(await unitTimes(host, { verb, template, fromMs })));
}

/** When fleetd's log came to what, in the order of the log; `first` and `last` of what comes more than once. */
export async function milestones(host: TestHost, verb: Verb, fromMs: number): Promise<ReadonlyMap<string, number>> {
  const entries = await read(host, ['_SYSTEMD_UNIT=fleet.service'], fromMs);
  const found = new Map<string, number>();
  const note = (what: string, times: readonly number[]) => {
    const [first, last] = [times[0], times.at(-1)];
    if (first !== undefined) found.set(`first: ${what}`, first);
    if (last !== undefined) found.set(`last: ${what}`, last);
  };
  const said =
    verb === 'start' ? ['plan committed', 'loading units', 'starting units'] : ['plan committed', 'stopping units'];
  for (const text of said)
    note(
      text,
      entries.filter(({ message }) => message.startsWith(text)).map(({ atMs }) => atMs),
    );
  note('systemd is done with a unit', await unitTimes(host, { verb, template: 'fleet', fromMs }));
  return found;
}

async function unitTimes(host: TestHost, { verb, template, fromMs }: Order): Promise<number[]> {
  const entries = await read(host, [`MESSAGE_ID=${messageIds[verb]}`], fromMs);
  return entries.filter(({ unit }) => unit.startsWith(`${template}@`)).map(({ atMs }) => atMs);
}

async function read(host: TestHost, matches: readonly string[], fromMs: number): Promise<Entry[]> {
  const fields = 'MESSAGE,UNIT,_SOURCE_REALTIME_TIMESTAMP';
  await host.mustExec(['journalctl', '--sync']);
  const options = ['--no-pager', '--quiet', '--output=json', `--output-fields=${fields}`, `--since=@${fromMs / 1000}`];
  const output = await host.mustExec(['journalctl', ...options, ...matches]);
  const lines = output.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const entry: Readonly<Record<string, string>> = JSON.parse(line);
    const micros = Number(entry._SOURCE_REALTIME_TIMESTAMP ?? entry.__REALTIME_TIMESTAMP);
    return { atMs: micros / 1000, unit: entry.UNIT ?? '', message: String(entry.MESSAGE) };
  });
}

/** A line of fleetd's log, with the time on the kernel's monotonic clock at which journald had it. */
export interface LogEntry {
  readonly atMs: number;
  readonly message: string;
}

/** fleetd's log since its host's boot. */
export async function readLogs(host: TestHost): Promise<LogEntry[]> {
  await host.mustExec(['journalctl', '--sync']);
  const options = ['--no-pager', '--quiet', '--output=json', '--output-fields=MESSAGE'];
  const output = await host.mustExec(['journalctl', ...options, '_SYSTEMD_UNIT=fleet.service']);
  const lines = output.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const entry: Readonly<Record<string, string>> = JSON.parse(line);
    return { atMs: Number(entry.__MONOTONIC_TIMESTAMP) / 1000, message: String(entry.MESSAGE) };
  });
}
