import { type OptionKind, type OptionName, type OptionValues, optionGroups, optionNames, options } from '../options.js';

const intro = (
  reload: string,
) => `# Configuration of fleetd: "option = value" lines, read when it starts and on \`${reload}\`.
# Neither changes a unit.
# Every option stands here with its default, as a comment. The environment (FLEET_OPTION_NAME) and flags win over
# this file.`;

/**
 * A configuration file in which every option is explained and none is set.
 *
 * @param userDefaults What differs for a user's fleetd, if it is for one.
 */
export function sampleConfig(userDefaults?: OptionValues): string {
  const written = optionGroups.map((group) => {
    const names = optionNames.filter((name) => options[name].group === group);
    return [`## ${group}`, ...names.map((name) => explain(name, userDefaults?.get(name)?.text))].join('\n\n');
  });
  const reload = userDefaults === undefined ? 'systemctl reload fleet' : 'systemctl --user reload fleet';
  return `${[intro(reload), ...written].join('\n\n')}\n`;
}

function explain(name: OptionName, value: string = options[name].fallback): string {
  const { help, reads } = options[name];
  return `${wrap(`${help}${describeValues(reads)}`)}\n#${name} = ${value}`.trimEnd();
}

function describeValues(reads: OptionKind): string {
  if (reads.kind === 'boolean') return ' (true or false)';
  if (reads.kind === 'seconds') return ' (in seconds)';
  if (reads.kind === 'metadata') return ' (key=value, separated by commas)';
  return reads.kind === 'count' ? ` (${reads.min} to ${reads.max})` : '';
}

/** Comment lines of at most 100 characters. */
function wrap(text: string): string {
  return text.replace(/(?=\S)(.{1,98})(\s+|$)/g, '# $1\n').trimEnd();
}
