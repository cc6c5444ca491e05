import type { Command } from 'commander';
import type { Context } from './context.js';

/** One command of the program: `src/commands/<name>.ts` exports one. */
export interface FleetctlCommand {
  /** Declares flags and help. */
  configure(command: Command): void;
  /**
   * Does it, with the arguments and flags that `command` has read.
   *
   * @returns The exit code.
   */
  run(context: Context, command: Command): Promise<number>;
}

/** Text at the end of a command's help: an example a line, and after two blanks what it does. */
export function examples(...lines: readonly string[]): string {
  return ['', 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n');
}
