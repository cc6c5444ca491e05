import { systemClock } from '@flotilla/runtime';
import { exitCodes } from './exit-codes.js';
import { run } from './run.js';
import type { Terminal } from './terminal.js';

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
    if (error.code !== 'EPIPE') throw error;
    process.exit(exitCodes.brokenPipe);
  });

process.once('SIGINT', () => {
  if (terminal.isErrTerminal) terminal.err('\n');
  process.exit(exitCodes.interrupted);
});

void run({ words: argv.slice(2), environment: env, terminal, clock: systemClock }).then((exitCode) => {
  process.exitCode = exitCode;
});
