import type { SettingEntity, SettingsAnswer } from '@flotilla/schema';
import { findNearest } from '@flotilla/unit';
import { examples, type FleetctlCommand } from '../command.js';
import { exitCodes } from '../exit-codes.js';
import { addListFlags, chooseListing, type ListFlags, type ListLayout } from '../list-output.js';
import { type List, type Note, showList } from '../show-list.js';

const layout: ListLayout<SettingEntity> = {
  cells: {
    key: ({ key }) => key,
    value: ({ value }) => value,
    default: (setting) => setting.default,
    set: ({ isSet }) => (isSet ? 'yes' : 'no'),
    expected: ({ expected }) => expected,
    help: ({ help }) => help,
  },
  defaultFields: 'key,value,default,help',
  wideFields: 'key,value,default,set,help,expected',
  keyFields: ['key'],
  tones: {},
  sayProblem: (message) => `Error retrieving the settings: ${message}`,
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
  async run(context, command) {
    const { client, screen } = context;
    const listing = chooseListing(command.opts<ListFlags>(), layout);
    const keys = new Set(command.args);
    let absent: readonly string[] | undefined;
    const exitCode = await showList(context, listing, async () => {
      const { settings } = await client.readSettings();
      if (absent === undefined) {
        absent = [...keys].filter((key) => !settings.some((setting) => setting.key === key));
        for (const key of absent) screen.err(screen.palette.bad(`Error: ${unknown(key, settings)}`));
      }
      return listOf(settings, keys);
    });
    return absent?.length === 0 ? exitCode : exitCodes.failed;
  },
};

function listOf(settings: readonly SettingEntity[], keys: ReadonlySet<string>): List<SettingEntity> {
  const chosen = [...keys].flatMap((key) => settings.find((setting) => setting.key === key) ?? []);
  const items = keys.size === 0 ? settings : chosen;
  const document: SettingsAnswer = { settings: items };
  const notes = items.flatMap(({ problem }): Note[] =>
    problem === undefined ? [] : [{ tone: 'waiting', text: `${problem}: the default holds` }],
  );
  return { items, document, notes };
}

function unknown(key: string, settings: readonly SettingEntity[]): string {
  const keys = settings.map((setting) => setting.key);
  const nearest = findNearest(key, keys);
  return `there is no setting ${JSON.stringify(key)}: ${nearest === undefined ? `there are ${keys.join(', ')}` : `did you mean ${nearest}?`}`;
}
