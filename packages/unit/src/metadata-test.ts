import type { MetadataTest } from './unit-model.js';

/** A test of a machine's metadata, or why the text is none: the end of a sentence that starts with the option. */
export type MetadataTestReading = { readonly test: MetadataTest } | { readonly problem: string };

/** A key, and what it is compared with, if it is; white space around the operator means nothing. */
const grammar = /^(!?)\s*([^\s=!<>]+)\s*(?:(!=|<=|>=|=|<|>)\s*(.*))?$/s;

/** Operators of other languages, and ours. */
const likelyMeant: Readonly<Record<string, string>> = { '==': '=', '=!': '!=', '<>': '!=', '=<': '<=', '=>': '>=' };

/** Reads `k=v k!=v k<n k<=n k>n k>=n k !k`. */
export function readMetadataTest(text: string): MetadataTestReading {
  const [, bang, key, op, value = ''] = grammar.exec(text) ?? [];
  if (key === undefined) return { problem: problemOf(text) };
  if (op === undefined) return { test: { op: bang === '!' ? 'lacks' : 'has', key } };
  if (bang === '!' || value === '' || /^!|[=<>]/.test(value)) return { problem: problemOf(text) };
  if (op === '=' || op === '!=') return { test: { op, key, value } };
  const number = findNumber(value);
  if (number === undefined) return { problem: `compares with "${value}", which is not a number: "${text}"` };
  return { test: { op: op as '<' | '<=' | '>' | '>=', key, value: number } };
}

/** A decimal number; neither hexadecimal nor infinite, as nobody who writes that means it. */
function findNumber(text: string): number | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return undefined;
  const number = Number(text);
  // Without the sign of -0, which no comparison sees.
  return Number.isFinite(number) ? number + 0 : undefined;
}

function problemOf(text: string): string {
  const problem = `wants key=value or a test like cores>=8, disk!=hdd, gpu or !spot, but has "${text}"`;
  const [, key = '', wrong = '', value = ''] = /^([^\s=!<>]+)\s*(==|=!|<>|=<|=>)\s*([^=!<>]+)$/s.exec(text) ?? [];
  const meant = likelyMeant[wrong];
  if (meant !== undefined) return `${problem}; did you mean ${key}${meant}${value}?`;
  return /\S\s+\S/.test(text) ? `${problem}; write one per line, or each in double quotes` : problem;
}

/** A test that compares numbers. */
export type NumberTest = Extract<MetadataTest, { readonly value: number }>;

/** Whether the test compares numbers. */
export function isComparison(test: MetadataTest): test is NumberTest {
  return 'value' in test && typeof test.value === 'number';
}

/** Whether a machine's value has to be below something. */
export function isUpperBound({ op }: NumberTest): boolean {
  return op === '<' || op === '<=';
}

/** Whether a machine's value of the test's key passes; a machine without the key has `undefined`. */
export function passesMetadataTest(value: string | undefined, test: MetadataTest): boolean {
  switch (test.op) {
    case 'has':
      return value !== undefined;
    case 'lacks':
      return value === undefined;
    case '=':
      return value === test.value;
    case '!=':
      return value !== test.value;
    default:
      return value !== undefined && passesComparison(value, test);
  }
}

function passesComparison(text: string, { op, value }: NumberTest): boolean {
  const actual = text.trim() === '' ? Number.NaN : Number(text);
  if (op === '<') return actual < value;
  if (op === '<=') return actual <= value;
  return op === '>' ? actual > value : actual >= value;
}
