import { examples, type FleetctlCommand } from '../command.js';
import { restart } from '../restart.js';
import { addWaitFlags, type WaitFlags, waitLimitMs } from '../wait-flags.js';

export const restartCommand: FleetctlCommand = {
  configure(command) {
    addWaitFlags(command)
      .option(
        '--machine <id>',
        'global units: only on this machine, an ID or its beginning; may be repeated',
        collect,
        [],
      )
      .description(
        'Restarts units where they are, and waits until systemd says that they are active again; starts those that are ' +
          'stopped. Instances of one template go one after the other, and a global unit machine after machine: when one ' +
          'fails, the others are left alone. All else goes at once, and so does everything with --no-block. How long to ' +
          'wait is meant for each.\n' +
          'Exit code: 0 all run, 1 one failed or could not be restarted, 2 one is not there yet when the wait is over.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl restart web.service db.service     both at once',
          "fleetctl restart 'web@*'                    all instances, one after the other",
          'fleetctl restart --machine=b1d7 logs        a global unit, on one machine',
          "fleetctl restart --no-block 'web@{1..10}'   ask for all at once and return",
        ),
      );
  },
  run(context, command) {
    const { machine, ...flags } = command.opts<WaitFlags & { readonly machine: readonly string[] }>();
    return restart(context, { units: command.args, machines: machine, limitMs: waitLimitMs(flags) });
  },
};

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
