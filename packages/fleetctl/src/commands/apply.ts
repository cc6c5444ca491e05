import { addPlanFlags, readPlanRequest } from '../apply-request.js';
import { applyUnits } from '../apply-units.js';
import { examples, type FleetctlCommand } from '../command.js';
import { showPlan } from '../show-plan.js';
import { addWaitFlags, type WaitFlags, waitLimitMs } from '../wait-flags.js';

export const apply: FleetctlCommand = {
  configure(command) {
    addPlanFlags(command).option('--dry-run', 'do nothing: show what fleetctl diff shows, with its exit code');
    addWaitFlags(command)
      .description(
        'Makes the cluster have the units of these paths: registers and starts those that are new, replaces those whose file ' +
          'has changed, and waits as fleetctl start does. A unit whose file is as it was is left alone, even if somebody has ' +
          'stopped it; one whose file has changed is started. A change of comments alone restarts nothing. Templates come ' +
          'first, then other units by name, at last what is destroyed.\n' +
          'A path is a directory of unit files or a single file; lists of instances (web@.instances) and *.units files ' +
          'are read as in a watched directory.\n' +
          'With --owner the units belong to that name: others can start and stop them, but neither change nor destroy ' +
          'them. --prune destroys what was applied for it before and has no file any more.\n' +
          'All or nothing: if one file is broken, one unit belongs to somebody else, or --prune would destroy more than ' +
          'half of at least four units, nothing is done.\n' +
          'Exit code: 0 done, 1 nothing was done or a unit failed, 2 a unit is not there yet when the wait is over.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl apply units/                            a directory',
          'fleetctl apply web.service shop.units            single files',
          'fleetctl apply --dry-run units/                  what it would do',
          'fleetctl apply --owner shop --prune units/       and destroy what is gone from there',
          'fleetctl apply --no-block -o json units/         for programs',
        ),
      );
  },
  run(context, command) {
    const request = readPlanRequest(command);
    const { dryRun, ...flags } = command.opts<WaitFlags & { readonly dryRun?: true }>();
    const limitMs = waitLimitMs(flags);
    return dryRun === true ? showPlan(context, request) : applyUnits(context, { ...request, limitMs });
  },
};
