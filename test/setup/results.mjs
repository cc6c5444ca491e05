// Counts and prints what node:test reports.

import { relative } from 'node:path';
import { run } from 'node:test';
import { root } from './paths.mjs';

/** Tests by outcome, over all tiers. */
export class Results {
  passed = 0;
  failed = 0;
  /** Name and reason of each. */
  skipped = [];

  pass() {
    this.passed++;
  }

  fail(name, details) {
    this.failed++;
    console.log(`\nFAILED ${name}\n${details}\n`);
  }

  skip(name, reason) {
    this.skipped.push({ name, reason });
  }

  get counts() {
    return `${this.passed} passed, ${this.failed} failed, ${this.skipped.length} skipped`;
  }

  get isGood() {
    return this.failed === 0 && this.passed > 0;
  }

  /** Prints what was left out, and the last line. */
  print() {
    if (this.skipped.length > 0) console.log('\nskipped:');
    for (const { name, reason } of this.skipped) console.log(`  ${name}: ${reason}`);
    if (this.failed === 0 && this.passed === 0) console.log('\nnothing was tested: that counts as a failure');
    console.log(`\n${this.counts}`);
  }
}

/**
 * Runs test files, each in a process of its own, and adds what they report to `results`.
 *
 * @returns How long each file took, in milliseconds, the longest first.
 */
export async function runTestFiles({ files, concurrency, timeoutMs, signal, results }) {
  const output = new Map();
  const durations = new Map();
  for await (const { type, data } of run({ files, concurrency, timeout: timeoutMs, signal })) {
    if (type === 'test:stdout' || type === 'test:stderr') {
      output.set(data.file, (output.get(data.file) ?? '') + data.message);
    } else if (type === 'test:pass') {
      countPass(data, results);
    } else if (type === 'test:fail') {
      countFailure(data, results, output);
    } else if (type === 'test:complete' && data.name === data.file) {
      durations.set(data.file, data.details.duration_ms);
    }
  }
  return [...durations].sort(([, a], [, b]) => b - a);
}

function countPass(data, results) {
  const name = `${relative(root, data.file)}: ${data.name}`;
  if (data.skip !== undefined) results.skip(name, typeof data.skip === 'string' ? data.skip : 'no reason given');
  else if (data.todo !== undefined) results.skip(name, `to do: ${data.todo}`);
  else if (data.name === data.file) results.fail(data.file, 'the file ran no test');
  else if (data.details?.type !== 'suite') results.pass();
}

function countFailure(data, results, output) {
  const error = data.details?.error;
  // Those that failed inside of it have been counted.
  if (error?.failureType === 'subtestsFailed') return;
  if (data.todo !== undefined) return countPass(data, results);
  const said = output.get(data.file);
  output.delete(data.file);
  const cause = error?.cause ?? error;
  const details = [cause?.stack ?? String(cause), said ? `--- the file's output so far:\n${said}` : ''];
  results.fail(`${relative(root, data.file ?? '')}: ${data.name}`, details.join('\n'));
}
