import type { Command } from 'commander';
import type { Context, LocalContext } from './context.js';

/** What all commands have. */
interface Configurable {
  /** Declares flags and help. */
  configure(command: Command): void;
}

/** A command that asks a fleetd. */
export interface ApiCommand extends Configurable {
  /**
   * Does it, with the arguments and flags that `command` has read.
   *
   * @returns The exit code.
   */
  run(context: Context, command: Command): Promise<number>;
}

/** A command that works without one: no endpoint, good or bad, is looked at. */
export interface LocalCommand extends Configurable {
  /** As {@link ApiCommand.run}. */
  runLocally(context: LocalContext, command: Command): Promise<number>;
}

/** One command of the program: `src/commands/<name>.ts` exports one. */
export type FleetctlCommand = ApiCommand | LocalCommand;

/** What every terminal has room for. */
const helpWidth = 80;

/** Text at the end of a command's help: an example a line, and after two blanks what it does. */
export function examples(...lines: readonly string[]): string {
  const rows = lines.map((line) => line.split(/ {2,}/));
  const width = Math.max(...rows.map(([command = '', what]) => (what === undefined ? 0 : command.length)));
  const shown = rows.map(([command = '', what]) => {
    if (what === undefined) return `  ${command}`;
    const line = `  ${command.padEnd(width)}  ${what}`;
    return line.length <= helpWidth ? line : `  ${command}\n      ${what}`;
  });
  return ['', 'EXAMPLES:', ...shown].join('\n');
}
