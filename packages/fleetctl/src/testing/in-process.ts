import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { type RunOptions, run } from '../run.js';
import { plainTerminal } from '../terminal.js';
import type { Ended } from './process.js';

/** A command line in this process: quicker than a process, but without its streams and its working directory. */
export async function runWords(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  { host }: Pick<RunOptions, 'host'> = {},
): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  const exitCode = await run({
    words,
    environment,
    ...(host !== undefined && { host }),
    terminal: plainTerminal({
      out: (text) => {
        stdout += text;
      },
      err: (text) => {
        stderr += text;
      },
    }),
  });
  return { stdout, stderr, exitCode };
}

/** A folder with these files, by their paths in it; it goes away with the test. */
export async function folderOf(context: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-files-'));
  context.after(() => rm(folder, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}
