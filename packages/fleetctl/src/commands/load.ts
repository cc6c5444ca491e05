import { bringUp } from '../bring-up.js';
import { examples, type FleetctlCommand } from '../command.js';
import { addWaitFlags, type WaitFlags, waitLimitMs } from '../wait-flags.js';

export const load: FleetctlCommand = {
  configure(command) {
    addWaitFlags(command.option('--replace', 'replace a registered unit that differs from the file'))
      .description(
        'Chooses a machine for each unit and loads it there, without starting it. Units that are not registered yet are ' +
          'registered from their files. A unit that is launched already stays so.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl load web.service        place it; `fleetctl start web` starts it there',
          'fleetctl load web.timer web@1    several at once',
        ),
      );
  },
  run(context, command) {
    const { replace, ...flags } = command.opts<WaitFlags & { readonly replace?: true }>();
    const limitMs = waitLimitMs(flags);
    return bringUp(context, { verb: 'load', units: command.args, isReplacing: replace === true, limitMs });
  },
};
