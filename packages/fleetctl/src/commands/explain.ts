import { mapInFlight } from '@flotilla/client';
import type { ExplanationEntity } from '@flotilla/schema';
import { Option } from 'commander';
import { examples, type FleetctlCommand } from '../command.js';
import type { Context } from '../context.js';
import { isAboutOneUnit, messageOf } from '../errors.js';
import { exitCodes, type Outcome, worstOutcome } from '../exit-codes.js';
import { explanationHeadline, isWaiting } from '../explanation-text.js';
import { formatFitTable } from '../fit-table.js';
import { readLabels } from '../machine-label.js';
import { selectUnits } from '../selection.js';
import { parseUnitArguments } from '../unit-arguments.js';

interface ExplainFlags {
  readonly full?: true;
  readonly output?: 'json';
}

export const explain: FleetctlCommand = {
  configure(command) {
    command
      .option('-l, --full', 'show each machine, however many there are, with its whole ID')
      .addOption(new Option('-o, --output <form>', 'print JSON as the API gives it').choices(['json']))
      .description(
        'Says why a unit is where it is, or why it waits, or where it would go: each machine with the number of its units ' +
          'and what each rule says. Machines that are alike are counted if there are many.\n' +
          'Exit code: 0 explained, 1 there is no such unit, 2 the unit is to run and waits for a machine.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl explain web.service',
          "fleetctl explain 'web@*' --full",
          'fleetctl explain -o json web@1    one entry for each unit',
        ),
      );
  },
  async run(context, command) {
    const { full, output } = command.opts<ExplainFlags>();
    const { client, screen } = context;
    const selection = await selectUnits(client, parseUnitArguments(command.args), { withTemplates: true });
    const outcomes: Outcome[] = [];
    const fail = (line: string) => {
      screen.err(screen.palette.bad(line));
      outcomes.push('failed');
    };
    for (const pattern of selection.unmatched) fail(`no unit in the registry matches ${pattern}`);
    const names = selection.units.map(({ name }) => name);
    const found = await mapInFlight(names, async (name) => ({ name, explained: await findExplanation(context, name) }));
    const explanations = found.flatMap(({ name, explained }) => {
      if (!(explained instanceof Error)) return [explained];
      fail(`Error explaining unit ${name}: ${messageOf(explained)}`);
      return [];
    });
    for (const each of explanations) outcomes.push(isWaiting(each) ? 'pending' : 'done');
    if (output === 'json') screen.write(`${JSON.stringify(explanations, null, 2)}\n`);
    else await print(context, explanations, full === true);
    return exitCodes[worstOutcome(outcomes)];
  },
};

async function findExplanation({ client }: Context, name: string): Promise<ExplanationEntity | Error> {
  try {
    return await client.explainUnit(name);
  } catch (error) {
    if (!isAboutOneUnit(error) || !(error instanceof Error)) throw error;
    return error;
  }
}

async function print(context: Context, explanations: readonly ExplanationEntity[], isFull: boolean): Promise<void> {
  if (explanations.length === 0) return;
  const { client, clock, screen } = context;
  const label = await readLabels(client, isFull);
  const texts = explanations.map((explanation) => {
    const { requirements = [] } = explanation;
    const asked = requirements.map((line) => `  ${line}\n`).join('');
    const table = formatFitTable(explanation, { label, palette: screen.outPalette, isFull });
    const headline = explanationHeadline(explanation, { label, nowMs: clock.now() });
    return `${headline}\n${asked === '' ? '' : `It asks for\n${asked}`}${table === '' ? '' : `\n${table}`}`;
  });
  screen.write(texts.join('\n'));
}
