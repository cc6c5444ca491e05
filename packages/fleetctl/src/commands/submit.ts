import { bringUp } from '../bring-up.js';
import { examples, type FleetctlCommand } from '../command.js';
import { addWaitFlags, type WaitFlags, waitLimitMs } from '../wait-flags.js';

export const submit: FleetctlCommand = {
  configure(command) {
    addWaitFlags(command.option('--replace', 'replace a registered unit that differs from the file'))
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
    const { replace, ...flags } = command.opts<WaitFlags & { readonly replace?: true }>();
    const limitMs = waitLimitMs(flags);
    return bringUp(context, { verb: 'submit', units: command.args, isReplacing: replace === true, limitMs });
  },
};
