/** How it went with a unit, or with a command. */
export type Outcome = 'done' | 'failed' | 'pending';

/** Exit codes of the program. */
export const exitCodes = {
  done: 0,
  /** An error, or a unit that failed. */
  failed: 1,
  /** The deadline passed before the cluster was as wanted. */
  pending: 2,
  /** What `fleetctl diff` says of units that differ. */
  differs: 2,
  /** What `systemctl status` says of a unit that is not active. */
  notActive: 3,
  /** EX_USAGE of sysexits.h. */
  usage: 64,
  /** 128 + SIGINT. */
  interrupted: 130,
  /** 128 + SIGPIPE: what a program gets that lets the signal kill it. */
  brokenPipe: 141,
  /** A program could not be run. */
  notRun: 255,
  /** 128 + SIGTERM. */
  terminated: 143,
} as const;

/** The outcome of all: failed if one failed, else pending if one is. */
export function worstOutcome(outcomes: Iterable<Outcome>): Outcome {
  const seen = new Set(outcomes);
  if (seen.has('failed')) return 'failed';
  return seen.has('pending') ? 'pending' : 'done';
}
