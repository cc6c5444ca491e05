import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { inspect } from 'node:util';

test('the example in the README prints what it says', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, example = ''] = /```ts\n(.*?)```/s.exec(readme) ?? [];
  const [, printed] = /console\.log\(.*\); \/\/ (.*)\n/.exec(example) ?? [];
  const code = example
    .replace("'@flotilla/folder'", JSON.stringify(new URL('index.js', import.meta.url)))
    .replace(/console\.log\((.*)\);/, 'export const values = [$1];');
  const { values }: { values: readonly unknown[] } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  assert.equal(values.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' '), printed);
});
