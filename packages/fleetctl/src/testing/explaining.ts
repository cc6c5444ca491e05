import assert from 'node:assert/strict';
import type { Bench } from './process.js';

/** Words of a line that is wrong, and what has to be said of it. */
export type Mistake = readonly [words: readonly string[], message: RegExp];

/** Checks that each of these lines is explained, asks nothing of the API, and exits with 64. */
export async function assertExplained({ api, fleetctl }: Bench, mistakes: readonly Mistake[]): Promise<void> {
  for (const [words, message] of mistakes) {
    const { stdout, stderr, exitCode } = await fleetctl(...words);
    assert.deepEqual([stdout, exitCode], ['', 64], words.join(' '));
    assert.match(stderr, /^Error: /);
    assert.match(stderr, message);
  }
  assert.deepEqual(api.requests, []);
}

/** Checks that each of these commands, as in `machine limit`, explains itself with examples of its own. */
export async function assertHelpful({ fleetctl }: Bench, commands: readonly string[]): Promise<void> {
  const helps = await Promise.all(commands.map((command) => fleetctl(...command.split(' '), '--help')));
  for (const [index, { stdout, exitCode }] of helps.entries()) {
    const command = `fleetctl ${commands[index]}`;
    assert.equal(exitCode, 0, command);
    assert.match(
      stdout,
      new RegExp(`^NAME:\n  ${command} - [\\s\\S]*\nUSAGE:\n  ${command}[\\s\\S]*\nEXAMPLES:\n  ${command}\\b`),
    );
    for (const heading of ['DESCRIPTION', 'GLOBAL OPTIONS']) assert.ok(stdout.includes(`\n${heading}:\n`), command);
    assert.match(stdout, /--request-timeout <duration> [^-]*\(default: 10s\)/, command);
    // What is said of every flag hides what is said of few.
    assert.doesNotMatch(stdout, /\(default:\s+(?:none|false|\[\])\)/, command);
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, `${command}: ${line}`);
  }
}
