import { version } from '@flotilla/errors';
import type { Command, Help, Option } from 'commander';

/** What every terminal has room for. */
const width = 80;
const indent = '  ';

/** The help of a command, in fleet's sections. What is added after it, like examples, is laid out already. */
export function formatHelp(command: Command, help: Help): string {
  const layout = (lines: readonly (readonly [term: string, text: string])[]) => items(lines, help);
  const isProgram = command.parent === null;
  const path = pathOf(command);
  const sections: (readonly [heading: string, text: string])[] = [
    ['NAME', wrapped(`${path} - ${isProgram ? command.description() : lowerFirst(command.summary())}`, help)],
    ['USAGE', wrapped(`${path} ${command.usage()}`.trimEnd(), help)],
    ['VERSION', isProgram ? `${indent}${version}` : ''],
    ['DESCRIPTION', isProgram ? '' : wrapped(command.description(), help)],
    ['COMMANDS', layout(help.visibleCommands(command).map((each) => [each.name(), each.summary()]))],
    ['OPTIONS', isProgram ? '' : layout(help.visibleOptions(command).map((option) => optionItem(option, help)))],
    ['GLOBAL OPTIONS', layout(globalOptions(command, help).map((option) => optionItem(option, help)))],
  ];
  const shown = sections.filter(([, text]) => text !== '');
  return `${shown.map(([heading, text]) => `${heading}:\n${text}\n`).join('\n')}`;
}

/** `fleetctl machine unfreeze`. */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function globalOptions(command: Command, help: Help): Option[] {
  let program = command;
  while (program.parent !== null) program = program.parent;
  return help.visibleOptions(program).filter(({ long }) => command === program || long !== '--help');
}

function optionItem(option: Option, help: Help): [string, string] {
  // A list of words that are joined by commas is wrapped like any other text.
  const text = help
    .optionDescription(option)
    .replace(' (default: [])', '')
    .replace(/\S{31,}/g, (word) => word.replaceAll(',', ', '));
  return [help.optionTerm(option), text];
}

function wrapped(text: string, help: Help): string {
  const lines = help.boxWrap(text, width - indent.length).split('\n');
  return lines.map((line) => `${indent}${line}`.trimEnd()).join('\n');
}

function items(lines: readonly (readonly [term: string, text: string])[], help: Help): string {
  const termWidth = Math.max(0, ...lines.map(([term]) => term.length));
  return lines.map(([term, text]) => help.formatItem(term, termWidth, text, help)).join('\n');
}
