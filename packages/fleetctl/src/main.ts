import { exitCodes } from './exit-codes.js';
import type { Terminal } from './terminal.js';
import { isVersionRequest, versionLine } from './version-line.js';

const { argv, env, stdout, stderr } = process;

const terminal: Terminal = {
  out: (text) => void stdout.write(text),
  err: (text) => void stderr.write(text),
  isErrTerminal: stderr.isTTY === true,
  hasColours: stderr.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb',
};

// A reader that has seen enough, like head, is no error to report.
for (const stream of [stdout, stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.brokenPipe);
    // Standard error may be the one that fails; then there is nobody to tell.
    if (stream === stdout) stderr.write(`Error: cannot write the output: ${error.message}\n`);
    process.exit(exitCodes.failed);
  });

process.once('SIGINT', () => {
  if (terminal.isErrTerminal) terminal.err('\n');
  process.exit(exitCodes.interrupted);
});

async function main(words: readonly string[]): Promise<void> {
  if (isVersionRequest(words)) return terminal.out(`${versionLine}\n`);
  // Loaded on use: scripts ask for the version of many programs, and get it in little more than Node's own time.
  const { run } = await import('./run.js');
  process.exitCode = await run({ words, environment: env, terminal });
}

void main(argv.slice(2));
