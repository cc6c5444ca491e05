/** What a program tells Prometheus, read strictly. */
export class Exposition {
  readonly types = new Map<string, string>();
  /** By name and labels, as in `up{job="a"}`, labels in the order of their names. */
  readonly values = new Map<string, number>();

  /** @throws Error naming the first line that is not as the text format 0.0.4 has it, and what is wrong. */
  static parse(text: string): Exposition {
    if (!text.endsWith('\n')) throw new Error('the last line has no end');
    const exposition = new Exposition();
    const reader = new Reader(exposition);
    for (const line of text.slice(0, -1).split('\n')) {
      const problem = reader.read(line);
      if (problem !== undefined) throw new Error(`${problem}: ${line}`);
    }
    exposition.#checkHistograms();
    return exposition;
  }

  /** The value of a series, `name` or `name{a="b"}`. @throws Error if there is none */
  value(series: string): number {
    const value = this.values.get(series);
    if (value === undefined) throw new Error(`there is no ${series} among\n${[...this.values.keys()].join('\n')}`);
    return value;
  }

  /** Sum of all series of a name whose labels contain `part`. */
  sum(name: string, part = ''): number {
    let sum = 0;
    for (const [series, value] of this.values) if (series.startsWith(`${name}{`) && series.includes(part)) sum += value;
    return sum;
  }

  #checkHistograms(): void {
    for (const [name, type] of this.types) {
      if (type !== 'histogram') continue;
      for (const [series, count] of this.values) {
        if (series !== `${name}_count` && !series.startsWith(`${name}_count{`)) continue;
        const labels = series.slice(`${name}_count`.length).replace(/^\{|\}$/g, '');
        this.#checkBuckets(name, labels, count);
      }
    }
  }

  #checkBuckets(name: string, labels: string, count: number): void {
    const told = [...this.values].filter(([series]) => series.startsWith(`${name}_bucket{`));
    const own = told
      .map(([series, value]) => ({ le: /le="([^"]+)"/.exec(series)?.[1] ?? '', rest: withoutBound(series), value }))
      .filter(({ rest }) => rest === labels)
      .map(({ le, value }) => ({ le: le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), value }))
      .sort((a, b) => a.le - b.le);
    const where = `${name}{${labels}}`;
    if (own.at(-1)?.le !== Number.POSITIVE_INFINITY || own.at(-1)?.value !== count)
      throw new Error(`${where}: the bucket +Inf is not the count`);
    if (own.some(({ value }, index) => value < (own[index - 1]?.value ?? 0)))
      throw new Error(`${where}: a larger bucket has less`);
    if (!this.values.has(labels === '' ? `${name}_sum` : `${name}_sum{${labels}}`))
      throw new Error(`${where} has no sum`);
  }
}

function withoutBound(series: string): string {
  const labels = series.slice(series.indexOf('{') + 1, -1);
  return labels
    .split(/,(?=[a-z_]+=")/)
    .filter((label) => !label.startsWith('le='))
    .join(',');
}

const suffixes = ['_bucket', '_sum', '_count'];

/** Reads line by line: HELP, TYPE, the series of that metric, and then the next one. */
class Reader {
  readonly #into: Exposition;
  readonly #done = new Set<string>();
  #helped: string | undefined;
  #name: string | undefined;

  constructor(into: Exposition) {
    this.#into = into;
  }

  /** What is wrong with a line, if so. */
  read(line: string): string | undefined {
    if (line === '') return undefined;
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line) ?? [];
    if (keyword === 'HELP') return this.#help(name);
    if (keyword === 'TYPE') return this.#type(name, rest);
    return line.startsWith('#') ? 'a comment' : this.#sample(line);
  }

  #help(name: string): string | undefined {
    if (this.#done.has(name)) return 'a metric that was told before';
    this.#done.add(name);
    this.#helped = name;
    this.#name = undefined;
    return undefined;
  }

  #type(name: string, type: string): string | undefined {
    if (name !== this.#helped) return 'a TYPE without its HELP before it';
    if (!['counter', 'gauge', 'histogram'].includes(type)) return 'an unknown type';
    if (type === 'counter' && !name.endsWith('_total')) return 'a counter that is not called a total';
    this.#name = name;
    this.#into.types.set(name, type);
    return undefined;
  }

  #sample(line: string): string | undefined {
    const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match === null) return 'no sample';
    const [, name = '', labelText, text = ''] = match;
    const isOwn =
      this.#into.types.get(this.#name ?? '') === 'histogram'
        ? suffixes.some((suffix) => name === `${this.#name}${suffix}`)
        : name === this.#name;
    if (!isOwn) return 'a sample of another metric';
    const value = Number(text);
    if (!Number.isFinite(value) || value < 0) return 'no number, or one below 0';
    const labels = labelText === undefined ? [] : parseLabels(labelText);
    if (labels === undefined) return 'malformed labels';
    if (new Set(labels.map(([label]) => label)).size !== labels.length) return 'a label twice';
    const sorted = labels.map(([label, is]) => `${label}="${is}"`).sort();
    const series = labels.length === 0 ? name : `${name}{${sorted.join(',')}}`;
    if (this.#into.values.has(series)) return 'a series that was told before';
    this.#into.values.set(series, value);
    return undefined;
  }
}

/** `undefined` if they are none. */
function parseLabels(text: string): [string, string][] | undefined {
  const labels: [string, string][] = [];
  let rest = text;
  while (rest !== '') {
    const [all, name, value] = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?=.)|$)/.exec(rest) ?? [];
    if (all === undefined || name === undefined || value === undefined) return undefined;
    labels.push([name, value]);
    rest = rest.slice(all.length);
  }
  return labels;
}
