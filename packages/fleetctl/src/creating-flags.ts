import { type Command, Option } from 'commander';
import type { BringUpRequest } from './bring-up.js';
import type { CreatingVerb } from './creation.js';
import type { Screen } from './terminal.js';
import { addWaitFlags, type WaitFlags, waitLimitMs } from './wait-flags.js';

/** The flags of commands that create units, as commander reads them. */
interface CreatingFlags extends WaitFlags {
  readonly replace?: true;
  readonly allowUnknown?: true;
  readonly sign?: true;
}

/** Adds `--replace`, `--allow-unknown`, those for waiting, and fleet's `--sign`. */
export function addCreatingFlags(command: Command): Command {
  command
    .option('--replace', 'replace a registered unit that differs from the file')
    .option('--allow-unknown', 'take options in [X-Fleet] that are not known, without effect')
    .addOption(new Option('--sign').hideHelp());
  return addWaitFlags(command);
}

/** What the flags and arguments of such a command ask for. @throws UsageError */
export function readCreatingRequest(verb: CreatingVerb, command: Command, screen: Screen): BringUpRequest {
  const { replace, allowUnknown, sign, ...flags } = command.opts<CreatingFlags>();
  const limitMs = waitLimitMs(flags);
  // In fleet's words, which scripts may look for.
  if (sign === true) screen.err('WARNING: The signed/verified units feature is DEPRECATED and cannot be used.');
  return { verb, units: command.args, isReplacing: replace === true, allowUnknown: allowUnknown === true, limitMs };
}
