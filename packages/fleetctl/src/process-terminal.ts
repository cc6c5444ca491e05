import { exitCodes } from './exit-codes.js';
import type { Terminal } from './terminal.js';

/** What a terminal that does not tell its size is taken for. */
const usualSize = { columns: 80, rows: 24 };

/** The process's streams. Ends the process when nobody can be told anything any more, and for Ctrl-C. */
export function createProcessTerminal(): Terminal {
  const { env, stdout, stderr } = process;
  stdout.on('error', endWithoutOutput);
  // There is nobody to tell that telling failed.
  stderr.on('error', (error) => process.exit(outputExitCode(error)));
  const isSmart = env.TERM !== 'dumb';
  const mayColour = (env.NO_COLOR ?? '') === '' && isSmart;
  const isErrTerminal = stderr.isTTY === true;
  const listeners = new Set<() => void>();
  const end = (exitCode: number) => {
    for (const listener of listeners) listener();
    process.exit(exitCode);
  };
  process.once('SIGINT', () => {
    if (isErrTerminal && listeners.size === 0) stderr.write('\n');
    end(exitCodes.interrupted);
  });
  process.once('SIGTERM', () => end(exitCodes.terminated));
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    isOutTerminal: stdout.isTTY === true && isSmart,
    isErrTerminal: isErrTerminal && isSmart,
    hasColours: isErrTerminal && mayColour,
    hasOutColours: stdout.isTTY === true && mayColour,
    get size() {
      const { columns, rows } = stdout.isTTY === true ? stdout : stderr;
      return { columns: columns || usualSize.columns, rows: rows || usualSize.rows };
    },
    onResize(listener) {
      stdout.on('resize', listener);
      return () => stdout.off('resize', listener);
    },
    onSuspend(suspended, resumed) {
      const suspend = () => {
        suspended();
        process.kill(process.pid, 'SIGSTOP');
      };
      process.on('SIGTSTP', suspend).on('SIGCONT', resumed);
      return () => process.off('SIGTSTP', suspend).off('SIGCONT', resumed);
    },
    onInterrupt(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function endWithoutOutput(error: unknown): never {
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
