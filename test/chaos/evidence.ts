import { copyFile, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Lab } from '../lab/index.js';
import { readJournal } from './journal.js';
import type { Problem } from './judge.js';
import { storePrefix } from './store-view.js';

interface Evidence {
  readonly lab: Lab;
  readonly runsLog: string;
  readonly problems: readonly Problem[];
  readonly sinceMs: number;
  readonly events: readonly string[];
}

const mostEvents = 25;
const mostLines = 40;
const mostProblems = 12;

/** Keeps what tells how it came about, as the hosts will be gone. @returns Lines for a person. */
export async function keepEvidence({ lab, runsLog, problems, sinceMs, events }: Evidence): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-chaos-'));
  await copyFile(runsLog, join(directory, 'runs.log'));
  await writeFile(join(directory, 'events.log'), `${events.join('\n')}\n`);
  await writeFile(join(directory, 'problems.json'), JSON.stringify(problems, undefined, 1));
  await writeFile(join(directory, 'store.json'), await dumpStore(lab));
  const journals = new Map<string, string>();
  for (const host of lab.hosts) {
    const journal = await readJournal(host, sinceMs);
    journals.set(host.name, journal);
    await writeFile(join(directory, `${host.name}.journal`), journal);
  }
  for (const member of lab.etcd.keys())
    await copyFile(join(lab.directory, `etcd-${member + 1}.log`), join(directory, `etcd-${member + 1}.log`));
  const first = problems[0];
  return [
    ...problems.slice(0, mostProblems).map(({ unit, host, says }) => `${unit} ${host}: ${says}`),
    ...(problems.length > mostProblems ? [`and ${problems.length - mostProblems} more`] : []),
    ...(first === undefined ? [] : about(first, events, journals)),
    `all of it, with the journals of this round, is in ${directory}`,
  ];
}

/** With all revisions. */
async function dumpStore(lab: Lab): Promise<string> {
  const argv = ['etcdctl', '--endpoints', lab.etcdUrls, 'get', '--prefix', storePrefix, '--write-out=json'];
  const { stdout, stderr } = await lab.exec(argv);
  return stdout + stderr;
}

function about({ unit, host }: Problem, events: readonly string[], journals: ReadonlyMap<string, string>): string[] {
  const concerns = (line: string) => line.includes(unit) || (host !== '-' && line.includes(host));
  const lines = [...journals].flatMap(([name, journal]) => {
    const found = journal.split('\n').filter((line) => unit === '-' || line.includes(unit));
    return host === '-' || host === name ? found.slice(-mostLines) : [];
  });
  return ['the last events about it:', ...events.filter(concerns).slice(-mostEvents), 'from the journals:', ...lines];
}
