import type { SettingEntity, SettingsAnswer } from '@flotilla/schema';
import { findNearest } from '@flotilla/unit';
import { examples, type FleetctlCommand } from '../command.js';
import { exitCodes } from '../exit-codes.js';
import { addListFlags, formatList, type ListFlags, type ListLayout, parseFields } from '../list-output.js';

const layout: ListLayout<SettingEntity> = {
  cells: {
    key: ({ key }) => key,
    value: ({ value }) => value,
    default: (setting) => setting.default,
    set: ({ isSet }) => (isSet ? 'yes' : 'no'),
    help: ({ help }) => help,
  },
  defaultFields: 'key,value,default,help',
  nameOf: ({ key }) => key,
  entityOf: (setting) => setting,
};

export const settingsGet: FleetctlCommand = {
  configure(command) {
    addListFlags(command, layout)
      .description(
        'Shows the settings of the cluster, or those that are named: what holds, what would hold if nothing were set, and ' +
          'what each is for. `fleetctl settings set` changes them.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl settings get                                          all of them',
          'fleetctl settings get strategy --no-legend --fields value      one value, for a script',
        ),
      );
  },
  async run({ client, screen }, command) {
    const flags = command.opts<ListFlags>();
    parseFields(flags, layout);
    const { settings } = await client.readSettings();
    const chosen: SettingEntity[] = [];
    let isComplete = true;
    for (const key of new Set(command.args)) {
      const setting = settings.find((each) => each.key === key);
      if (setting !== undefined) chosen.push(setting);
      else screen.err(screen.palette.bad(`Error: ${unknown(key, settings)}`));
      isComplete &&= setting !== undefined;
    }
    const shown = command.args.length === 0 ? settings : chosen;
    if (flags.output === 'json') {
      const answer: SettingsAnswer = { settings: shown };
      screen.write(`${JSON.stringify(answer, null, 2)}\n`);
    } else if (shown.length > 0) screen.write(formatList(shown, flags, layout));
    for (const { problem } of shown)
      if (problem !== undefined) screen.err(screen.palette.waiting(`${problem}: the default holds`));
    return isComplete ? exitCodes.done : exitCodes.failed;
  },
};

function unknown(key: string, settings: readonly SettingEntity[]): string {
  const keys = settings.map((setting) => setting.key);
  const nearest = findNearest(key, keys);
  return `there is no setting ${JSON.stringify(key)}: ${nearest === undefined ? `there are ${keys.join(', ')}` : `did you mean ${nearest}?`}`;
}
