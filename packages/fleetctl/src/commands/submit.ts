import { bringUp } from '../bring-up.js';
import { examples, type FleetctlCommand } from '../command.js';
import { addCreatingFlags, readCreatingRequest } from '../creating-flags.js';

export const submit: FleetctlCommand = {
  configure(command) {
    addCreatingFlags(command)
      .description(
        'Registers unit files with the cluster. Nothing is run; `fleetctl start` does that by name later.\n' +
          'A file like web@.service is a template: submit it once, then start web@1, web@2 and so on.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl submit web@.service             register a template',
          'fleetctl submit units/*.service          register all files of a folder',
          'fleetctl submit --replace web@.service   register a changed file',
        ),
      );
  },
  run(context, command) {
    return bringUp(context, readCreatingRequest('submit', command, context.screen));
  },
};
