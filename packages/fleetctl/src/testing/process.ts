import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MemoryApi } from './memory-api.js';

/** What a process left behind. */
export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
}

/** An API, a folder with unit files, and the command line as a process that uses both. */
export interface Bench {
  readonly api: MemoryApi;
  /** Runs `fleetctl` in the folder. */
  fleetctl(...words: readonly string[]): Promise<Ended>;
  /** Starts it; the test ends it. */
  spawn(words: readonly string[], environment?: Readonly<Record<string, string>>): ChildProcess;
  /** Writes a file into the folder. */
  write(path: string, text: string | Uint8Array): Promise<void>;
}

const program = fileURLToPath(new URL('../main.js', import.meta.url));

/** A bench that goes away with the test. */
export async function openBench(context: TestContext): Promise<Bench> {
  const api = await MemoryApi.open();
  context.after(() => api.close());
  const start = (words: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
    spawn(process.execPath, [program, ...words], {
      cwd: api.folder,
      env: { FLEETCTL_ENDPOINT: api.endpoint, ...environment },
    });
  return {
    api,
    spawn: start,
    fleetctl: (...words) => ended(start(words)),
    async write(path, text) {
      await mkdir(dirname(join(api.folder, path)), { recursive: true });
      await writeFile(join(api.folder, path), text);
    },
  };
}

/** Resolves when the process has ended. */
export function ended(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ stdout, stderr, exitCode }));
  });
}
