import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '@flotilla/client';
import { sleep, systemClock } from '@flotilla/runtime';
import { endpointOf, showUnits, type TestHost, waitUntil } from '../lab/index.js';

/** Ways of editors and tools to save a file. */
export const waysToSave = ['overwrite', 'rename', 'backup', 'slowly'] as const;

export type WayToSave = (typeof waysToSave)[number];

/** A directory of unit files on one host, as a person or a checkout changes it; also while the host is down. */
export class Checkout {
  readonly host: TestHost;
  readonly #folder: string;

  constructor(host: TestHost, path: string) {
    this.host = host;
    this.#folder = join(host.root, path);
  }

  /** Its path as this process sees it. */
  at(file: string): string {
    return join(this.#folder, file);
  }

  async make(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
  }

  async save(file: string, text: string, way: WayToSave = 'overwrite'): Promise<void> {
    const path = this.at(file);
    switch (way) {
      case 'overwrite':
        return await writeFile(path, text);
      case 'rename':
        await writeFile(this.at(`.${file}.swp`), text);
        return await rename(this.at(`.${file}.swp`), path);
      case 'backup':
        // As editors do that keep the former version: for a moment there is no such file.
        await rename(path, `${path}~`).catch(() => undefined);
        return await writeFile(path, text);
      case 'slowly':
        await writeFile(path, '');
        await sleep(systemClock, 20);
        await writeFile(path, text.slice(0, text.length / 2));
        await sleep(systemClock, 20);
        return await writeFile(path, text);
    }
  }

  remove(file: string): Promise<void> {
    return rm(this.at(file), { force: true });
  }

  /** Has exactly these files, as `git pull` would leave them: what is so already is not touched. */
  async pull(files: ReadonlyMap<string, string>, former: Iterable<string>, wayOf = (): WayToSave => 'rename') {
    for (const file of former) if (!files.has(file)) await this.remove(file);
    for (const [file, text] of files) {
      const there = await readFile(this.at(file), 'utf8').catch(() => undefined);
      if (there !== text) await this.save(file, text, wayOf());
    }
  }
}

/** A unit that sleeps, with a version that systemd tells of. */
export function versioned(version: string, ...rules: readonly string[]): string {
  const xFleet = rules.length === 0 ? '' : `[X-Fleet]\n${rules.join('\n')}\n`;
  return `[Service]\nEnvironment=VERSION=${version}\nExecStart=/bin/sleep infinity\n${xFleet}`;
}

/** The versions of units called `test-...` that are active on hosts, one line each: `test-a.service 3`, by systemd's word. */
export async function runningVersions(hosts: readonly TestHost[]): Promise<string[]> {
  const up = hosts.filter(({ isUp }) => isUp);
  const found = await Promise.all(
    up.map((host) => showUnits(host, ['Id', 'ActiveState', 'Environment'], ['test-*.service'])),
  );
  return found
    .flat()
    .filter((unit) => unit.get('ActiveState') === 'active')
    .map((unit) => `${unit.get('Id')} ${unit.get('Environment')?.replace('VERSION=', '')}`)
    .sort();
}

/** Waits until exactly these versions run on the hosts that are up, each as often as it is named. */
export async function untilVersions(
  hosts: readonly TestHost[],
  wanted: readonly string[],
  options: { readonly what: string; readonly timeoutMs?: number; readonly onTimeout?: () => Promise<string> },
): Promise<void> {
  const sorted = [...wanted].sort();
  await waitUntil({
    read: async () => {
      const running = await runningVersions(hosts);
      return { tooMany: without(running, sorted), missing: without(sorted, running) };
    },
    until: ({ tooMany, missing }) => tooMany.length === 0 && missing.length === 0,
    timeoutMs: 60_000,
    intervalMs: 250,
    ...options,
  });
}

/** What the first list has more of than the second one. */
function without(all: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return all.filter((each) => {
    const at = left.indexOf(each);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

/** What the API of a host says of one directory. */
export async function findDirectory(asked: TestHost, name: string) {
  const client = createClient({ endpoint: endpointOf(asked) });
  try {
    return await client.findDirectory(name);
  } finally {
    client.close();
  }
}

/** Waits for what a directory says of itself on one host. */
export async function untilDirectory(
  name: string,
  options: {
    readonly asked: TestHost;
    readonly on: TestHost;
    readonly what: string;
    readonly until: (seen: DirectoryOnHost) => boolean;
  },
): Promise<DirectoryOnHost> {
  const { asked, on, what, until } = options;
  const seen = await waitUntil({
    what: `directory ${name} on ${on.name}: ${what}`,
    read: async () => (await findDirectory(asked, name))?.hosts.find(({ claimant }) => claimant === on.machineId),
    until: (host) => host !== undefined && until(host),
    onTimeout: () => on.journal('fleet.service'),
  });
  if (seen === undefined) throw new Error('unreachable');
  return seen;
}

type Found = NonNullable<Awaited<ReturnType<ReturnType<typeof createClient>['findDirectory']>>>;
export type DirectoryOnHost = Found['hosts'][number];
