import { flagName, type Option, type OptionName, optionGroups, optionNames, options, variableName } from './options.js';

/** What every terminal has. */
const columns = 80;

/** What fleetd is asked to do that is no option of its configuration. */
const ownFlags = [
  ['--config=FILE', 'configuration file; by default /etc/fleet/fleet.conf, if it is there'],
  ['--user', 'run your own units, by systemctl --user, with all files in your own directories'],
  ['--version', 'print the version and exit; also "fleetd version"'],
  ['--help, -h', 'print this text and exit; also "fleetd help"'],
] as const;

/** What stands for a value of each kind. Times say their unit. */
const valueWords: Readonly<Record<Option['reads']['kind'], string>> = {
  text: 'TEXT',
  path: 'PATH',
  list: 'ITEM,...',
  boolean: 'true|false',
  count: 'NUMBER',
  seconds: 'SECONDS',
  duration: 'DURATION',
  metadata: 'KEY=VALUE,...',
  choice: '',
};

/** How fleetd is called. */
export const usage = `Usage: fleetd [--config=FILE] [--user] [--OPTION=VALUE ...]
       fleetd install [--help]     makes it a service of this host
       fleetd version | help`;

const intro = `Runs units on this machine, and takes part in deciding which machine runs which.`;

const sources = `Each of the following can be given as a flag (--agent-ttl=5s), in the environment (FLEET_AGENT_TTL=5s), or in the file (agent_ttl = 5s). A flag wins over the environment, the environment over the file. Yes or no may be a bare flag (--disable-engine). DURATION is like 1m30s or 500ms.`;

/** The text of `fleetd --help`. */
export function helpText(): string {
  const groups = optionGroups.map((group) => {
    const names = optionNames.filter((name) => options[name].group === group);
    return `${group === 'Store' ? 'Store (etcd)' : group}\n${names.map(explain).join('')}`;
  });
  const own = ownFlags.map(([flag, help]) => `  ${flag}\n${wrap(help, 6)}`).join('');
  return [
    usage,
    wrap(intro).trimEnd(),
    own.trimEnd(),
    wrap(sources).trimEnd(),
    ...groups.map((text) => text.trimEnd()),
  ].join('\n\n');
}

function explain(name: OptionName): string {
  const { help, fallback, reads }: Option = options[name];
  const { value = valueWords[reads.kind] }: Option = options[name];
  const words = reads.kind === 'choice' ? reads.choices.join('|') : value;
  const flag = `--${flagName(name)}${reads.kind === 'boolean' ? `[=${words}]` : `=${words}`}`;
  const range = reads.kind === 'count' ? [`${reads.min} to ${reads.max}`] : [];
  const facts = [...range, ...(fallback === '' ? [] : [`default: ${fallback}`])].join('; ');
  return `  ${flag}\n${wrap(facts === '' ? help : `${help} (${facts})`, 6)}${wrap(`[${name}, ${variableName(name)}]`, 6)}`;
}

/** Lines of at most 80 columns, each ended. A word that is longer stays whole, so that it can be copied. */
function wrap(text: string, indent = 0): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && indent + line.length + 1 + word.length > columns) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line].map((each) => `${' '.repeat(indent)}${each}\n`).join('');
}
