import { addPlanFlags, readPlanRequest } from '../apply-request.js';
import { examples, type FleetctlCommand } from '../command.js';
import { showPlan } from '../show-plan.js';

export const diff: FleetctlCommand = {
  configure(command) {
    addPlanFlags(command)
      .description(
        'Shows what fleetctl apply with the same paths and flags would do, and does nothing: units that it would create, change ' +
          '(as a unified diff from what the cluster has to the file) and, with --prune, destroy. A difference in ' +
          'comments alone is shown too; applied, it restarts nothing.\n' +
          'A path is a directory of unit files or a single file; lists of instances (web@.instances) and *.units files ' +
          'are read as in a watched directory.\n' +
          'Exit code: 0 nothing differs, 2 something does, 1 apply would refuse: a file is broken, a unit belongs to ' +
          'somebody else, or --prune would destroy too much.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl diff units/                            a directory',
          'fleetctl diff --owner shop --prune units/       and what was applied for shop before',
          'fleetctl diff -o name units/                    which units differ',
          "fleetctl diff -o json units/ | jq '.counts'     for programs",
        ),
      );
  },
  run(context, command) {
    return showPlan(context, readPlanRequest(command));
  },
};
