import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { LaunchStateWord } from '@flotilla/schema';
import { folderOf, runWords } from './in-process.js';
import { MemoryApi } from './memory-api.js';

/** One command line, and all that scripts see of it. */
export interface Line {
  readonly line: string;
  /** Files in the folder that it is called in. */
  readonly files?: Readonly<Record<string, string>>;
  /** Registered units, by name. */
  readonly units?: Readonly<Record<string, readonly [text: string, state: LaunchStateWord]>>;
  /** Whose they are, if somebody's; those that were applied for that owner have `apply` among the hosts. */
  readonly owned?: Readonly<Record<string, readonly [owner: string, ...hosts: string[]]>>;
  /** Units that no machine may run. */
  readonly homeless?: readonly string[];
  /** What the API refuses of a unit. */
  readonly refusals?: Readonly<Record<string, readonly [status: number, message: string]>>;
  /** @default nothing */
  readonly stdout?: string | RegExp;
  /** @default nothing */
  readonly stderr?: string | RegExp;
  /** @default 0 */
  readonly exit?: number;
  /** Desired states afterwards. */
  readonly leaves?: Readonly<Record<string, LaunchStateWord | undefined>>;
}

/** Unit files: one, another, and a global one. */
export const one = '[Service]\nExecStart=/bin/one\n';
export const two = '# another\n[Service]\nExecStart=/bin/two\n';
export const everywhere = `${one}[X-Fleet]\nGlobal=true\n`;

/** What the API says to whoever would destroy `a.service`, or give it other content, if it is a watched directory's. */
export const owned =
  'unit is owned by the directory "local": change or remove its file there, or run fleetctl adopt a.service first';

/** Where a unit is, in the words of whoever waits for it. */
export const on = String.raw` on \d{8}\.\.\.(/[\d.]+)?`;

/** These lines, and nothing else. */
export function exactly(...texts: readonly string[]): RegExp {
  return new RegExp(`^${texts.map((text) => `${text}\n`).join('')}$`);
}

/** One test for each line, of streams, exit code and what it leaves. */
export function testLines(lines: readonly Line[]): void {
  const folder = process.cwd();
  let api: MemoryApi;
  beforeEach(async () => {
    api = await MemoryApi.open();
  });
  afterEach(async () => {
    process.chdir(folder);
    await api.close();
  });
  for (const row of lines)
    test(`fleetctl ${row.line}`, async (context) => {
      for (const name of row.homeless ?? []) api.tempers.set(name, { reason: 'no room' });
      for (const [name, [text, state]] of Object.entries(row.units ?? {})) api.add(name, text, state);
      for (const [name, [owner, ...hosts]] of Object.entries(row.owned ?? {})) api.own(name, owner, hosts);
      for (const [name, refusal] of Object.entries(row.refusals ?? {})) api.refusals.set(name, refusal);
      process.chdir(await folderOf(context, row.files ?? {}));
      const { stdout, stderr, exitCode } = await runWords(row.line.split(' '), { FLEETCTL_ENDPOINT: api.endpoint });
      same(stdout, row.stdout ?? '', 'stdout');
      same(stderr, row.stderr ?? '', 'stderr');
      assert.equal(exitCode, row.exit ?? 0);
      for (const [name, state] of Object.entries(row.leaves ?? {}))
        assert.equal(api.unit(name)?.desiredState, state, name);
    });
}

function same(text: string, expected: string | RegExp, stream: string): void {
  if (typeof expected === 'string') assert.equal(text, expected, stream);
  else assert.match(text, expected, stream);
}
