import { type Command, InvalidArgumentError } from 'commander';
import { findDurationMs } from './duration.js';
import { UsageError } from './errors.js';

/** The flags of commands that wait, as commander reads them. */
export interface WaitFlags {
  /** `false` if `--no-block` is given. */
  readonly block: boolean;
  readonly blockAttempts?: number;
  readonly wait?: number;
}

const defaultWaitMs = 60_000;
/** fleet's length of an attempt. */
const attemptMs = 2000;

/** Adds `--wait`, `--no-block` and fleet's `--block-attempts`. */
export function addWaitFlags(command: Command): Command {
  return command
    .option('--wait <duration>', 'how long to wait: 90s, 5m, 500ms; 0 looks once (default: 60s)', parseWait)
    .option('--no-block', 'do not wait')
    .option('--block-attempts <n>', 'wait for 2 s times n; 0 waits for ever (default: --wait says)', parseAttempts);
}

/** Milliseconds to wait; `Infinity`: for ever; `undefined`: not at all. @throws UsageError */
export function waitLimitMs({ block, blockAttempts, wait }: WaitFlags): number | undefined {
  if (!block) return undefined;
  if (wait !== undefined && blockAttempts !== undefined)
    throw new UsageError('--wait and --block-attempts say the same thing', 'Give one of them.');
  if (blockAttempts === undefined) return wait ?? defaultWaitMs;
  return blockAttempts <= 0 ? Number.POSITIVE_INFINITY : blockAttempts * attemptMs;
}

function parseWait(text: string): number {
  const ms = findDurationMs(text);
  if (ms === undefined) throw new InvalidArgumentError('It is no duration like 90s, 5m or 1h30m.');
  return ms;
}

function parseAttempts(text: string): number {
  if (!/^-?\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is no whole number.');
  return Number(text);
}
