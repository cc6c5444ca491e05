import { type OptionKind, type OptionName, type OptionValues, optionNames, options } from '../options.js';

interface Section {
  readonly title: string;
  readonly has: (name: OptionName) => boolean;
}

/** In the order in which people need them; an option belongs to the first that has it. */
const sections: readonly Section[] = [
  { title: 'The store', has: (name) => name.includes('etcd') },
  { title: 'This machine', has: (name) => ['metadata', 'public_ip'].includes(name) },
  { title: 'What it does', has: (name) => /^disable_|^on_stop$|^leave_/.test(name) },
  { title: 'Paths', has: (name) => options[name].reads.kind === 'path' },
  { title: 'The rest', has: () => true },
];

const intro = (
  restart: string,
) => `# Configuration of fleetd: "option = value" lines, read when fleetd starts. \`${restart}\` changes no unit.
# Every option stands here with its default, as a comment. The environment (FLEET_OPTION_NAME) and flags win over
# this file.`;

/**
 * A configuration file in which every option is explained and none is set.
 *
 * @param userDefaults What differs for a user's fleetd, if it is for one.
 */
export function sampleConfig(userDefaults?: OptionValues): string {
  const written = sections.map(({ title }, index) => {
    const names = optionNames.filter((name) => sections.findIndex(({ has }) => has(name)) === index);
    return [`## ${title}`, ...names.map((name) => explain(name, userDefaults?.get(name)?.text))].join('\n\n');
  });
  const restart = userDefaults === undefined ? 'systemctl restart fleet' : 'systemctl --user restart fleet';
  return `${[intro(restart), ...written].join('\n\n')}\n`;
}

function explain(name: OptionName, value: string = options[name].fallback): string {
  const { help, reads } = options[name];
  return `${wrap(`${help}${describeValues(reads)}`)}\n#${name} = ${value}`.trimEnd();
}

function describeValues(reads: OptionKind): string {
  if (reads.kind === 'boolean') return ' (true or false)';
  return reads.kind === 'count' ? ` (${reads.min} to ${reads.max})` : '';
}

/** Comment lines of at most 100 characters. */
function wrap(text: string): string {
  return text.replace(/(?=\S)(.{1,98})(\s+|$)/g, '# $1\n').trimEnd();
}
