/** Something that systemd says of a unit. */
export interface Complaint {
  /** It would not load the unit; else it would, leaving something out, or something is not here that may be elsewhere. */
  readonly isRefusal: boolean;
  /** Of its file, counted from 1. */
  readonly line: number | undefined;
  /** In systemd's words, without the place. */
  readonly text: string;
}

/**
 * What `systemd-analyze verify` says of the units whose files lie in `folder`, by unit; it looks at units of this host
 * too, of which nothing is passed on.
 */
export function parseComplaints(
  output: string,
  { folder, names }: { readonly folder: string; readonly names: ReadonlySet<string> },
): Map<string, Complaint[]> {
  const complaints = new Map<string, Complaint[]>();
  for (const line of output.split('\n')) {
    const [name, complaint] = parseLine(line, folder) ?? [];
    const own = name === undefined ? undefined : [name, templateOf(name)].find((each) => names.has(each));
    if (own === undefined || complaint === undefined) continue;
    const known = complaints.get(own) ?? [];
    // Its last word only says that there was a refusal.
    if (!isSummary(line) || !known.some(({ isRefusal }) => isRefusal)) complaints.set(own, [...known, complaint]);
  }
  return complaints;
}

function parseLine(line: string, folder: string): readonly [name: string, Complaint] | undefined {
  if (line.startsWith(`${folder}/`)) {
    const [, name = '', number, text = ''] = /^([^/:]+):(?:(\d+):)? ?(.*)$/.exec(line.slice(folder.length + 1)) ?? [];
    return [name, { isRefusal: false, line: number === undefined ? undefined : Number(number), text }];
  }
  const [, summarised] = summary.exec(line) ?? [];
  if (summarised !== undefined) return [summarised, { isRefusal: true, line: undefined, text: line }];
  const [, name, text = ''] = /^([^\s/:]+): (.*)$/.exec(line) ?? [];
  return name === undefined ? undefined : [name, { isRefusal: /\bRefusing\.?$/.test(text), line: undefined, text }];
}

const summary = /^Unit (\S+) has a bad unit file setting/;

function isSummary(line: string): boolean {
  return summary.test(line);
}

/** systemd looks at an instance of a template, with a name that it makes up. */
function templateOf(name: string): string {
  return name.replace(/@.+(?=\.[a-z]+$)/, '@');
}
