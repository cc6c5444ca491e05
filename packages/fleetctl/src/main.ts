import { writeSync } from 'node:fs';
import { createProcessTerminal, endWithoutOutput } from './process-terminal.js';
import { isVersionRequest, versionLine } from './version-line.js';

const words = process.argv.slice(2);

// Scripts ask for the version of many programs: they get it in little more than Node's own time, without the rest of
// this one and without Node's streams.
if (isVersionRequest(words)) tellVersion();
else void main();

function tellVersion(): void {
  try {
    writeSync(1, `${versionLine}\n`);
  } catch (error) {
    endWithoutOutput(error);
  }
}

async function main(): Promise<void> {
  const terminal = createProcessTerminal();
  const { run } = await import('./run.js');
  const openStreams = () => ({ input: process.stdin, output: process.stdout });
  process.exitCode = await run({ words, environment: process.env, terminal, openStreams });
}
