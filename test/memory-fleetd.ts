import { rm } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { createApi, serveApi } from '@flotilla/api';
import { plainTerminal, run } from '@flotilla/fleetctl';
import { MemoryStore, StoreInspector } from '@flotilla/registry';
import { silentLogger, systemClock } from '@flotilla/runtime';

let sockets = 0;

/** The API over a store in memory, on a unix socket; no agent and no engine does anything. It ends with the test. */
export async function serveFromMemory(context: TestContext) {
  const clock = systemClock;
  sockets++;
  const socket = `/tmp/flotilla-memory-${process.pid}-${sockets}.sock`;
  const store = new MemoryStore({ clock });
  const handle = createApi({
    store,
    clock,
    log: silentLogger,
    version: '1.2.3',
    pageLimit: 100,
    hostNames: [],
    isReady: () => true,
    inspector: new StoreInspector({ store, clock }),
  });
  const api = await serveApi({ handle, listeners: [{ kind: 'unix', path: socket }], clock, log: silentLogger });
  context.after(async () => {
    await api.close();
    await rm(socket, { force: true });
  });
  return { socket, store };
}

/** One command line of fleetctl, in this process. */
export async function fleetctl(words: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const written = { stdout: '', stderr: '' };
  const exitCode = await run({
    words,
    environment,
    terminal: plainTerminal({
      out: (text) => {
        written.stdout += text;
      },
      err: (text) => {
        written.stderr += text;
      },
    }),
  });
  return { ...written, exitCode };
}
