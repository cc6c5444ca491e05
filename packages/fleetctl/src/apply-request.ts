import { type OwnerName, parseOwnerName } from '@flotilla/unit';
import { type Command, Option } from 'commander';
import { UsageError } from './errors.js';

/** How the outcome is printed. */
export type ApplyForm = 'text' | 'json' | 'name';

/** What `diff` and `apply` have in common. */
export interface PlanRequest {
  /** Directories and files, as they were given. */
  readonly paths: readonly string[];
  /** On whose behalf; `undefined`: the units belong to nobody. */
  readonly owner: OwnerName | undefined;
  /** Whether to destroy what the owner has no file of any more: `most` also if that is more than half of it. */
  readonly prune: 'none' | 'some' | 'most';
  readonly allowUnknown: boolean;
  readonly form: ApplyForm;
}

/** The flags of both, as commander reads them. */
interface PlanFlags {
  readonly owner?: string;
  readonly prune?: true;
  readonly pruneMost?: true;
  readonly allowUnknown?: true;
  readonly output?: 'json' | 'name';
}

/** Adds the flags that `diff` and `apply` have in common. */
export function addPlanFlags(command: Command): Command {
  return command
    .option('--owner <name>', 'on whose behalf: the units are protected from others, and may be pruned')
    .option('--prune', 'destroy units that were applied for the owner before, and have no file any more')
    .option('--prune-most', 'the same, also if that is more than half of them, or if there are no files at all')
    .option('--allow-unknown', 'take options in [X-Fleet] that are not known, without effect')
    .addOption(new Option('-o, --output <form>', 'json: all of it; name: units that differ').choices(['json', 'name']));
}

/** What the flags and arguments ask for. @throws UsageError, FleetError `bad-owner-name` */
export function readPlanRequest(command: Command): PlanRequest {
  const { owner, prune, pruneMost, allowUnknown, output = 'text' } = command.opts<PlanFlags>();
  if (command.args.length === 0)
    throw new UsageError('No paths given', 'Name directories of unit files, or single files.');
  if (command.args.includes('')) throw new UsageError('A path is empty', 'Was a variable not set?');
  if (owner === undefined && (prune === true || pruneMost === true))
    throw new UsageError(
      '--prune needs --owner NAME',
      'Only what was applied for an owner before is known to be yours.',
    );
  const some = prune === true ? 'some' : 'none';
  return {
    paths: command.args,
    owner: owner === undefined ? undefined : parseOwnerName(owner),
    prune: pruneMost === true ? 'most' : some,
    allowUnknown: allowUnknown === true,
    form: output,
  };
}
