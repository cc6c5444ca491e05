import { writeSync } from 'node:fs';
import { exitCodes } from './exit-codes.js';
import type { Terminal } from './terminal.js';
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
  const terminal = createTerminal();
  const { run } = await import('./run.js');
  const openStreams = () => ({ input: process.stdin, output: process.stdout });
  process.exitCode = await run({ words, environment: process.env, terminal, openStreams });
}

function createTerminal(): Terminal {
  const { env, stdout, stderr } = process;
  stdout.on('error', endWithoutOutput);
  // There is nobody to tell that telling failed.
  stderr.on('error', (error) => process.exit(outputExitCode(error)));
  const isErrTerminal = stderr.isTTY === true;
  const mayColour = (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
  process.once('SIGINT', () => {
    if (isErrTerminal) stderr.write('\n');
    process.exit(exitCodes.interrupted);
  });
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    isErrTerminal,
    hasColours: isErrTerminal && mayColour,
    hasOutColours: stdout.isTTY === true && mayColour,
  };
}

function endWithoutOutput(error: unknown): never {
  const code = outputExitCode(error);
  if (code === exitCodes.failed)
    process.stderr.write(`Error: cannot write the output: ${error instanceof Error ? error.message : error}\n`);
  process.exit(code);
}

/** A reader that has seen enough, like head, is no error to report. */
function outputExitCode(error: unknown): number {
  const isReaderGone = error instanceof Error && 'code' in error && error.code === 'EPIPE';
  return isReaderGone ? exitCodes.brokenPipe : exitCodes.failed;
}
