import type { Clock } from '@flotilla/runtime';
import type { RunCommand } from './run-command.js';

/** One call of systemd that has ended. */
export interface SystemdCall {
  readonly by: 'systemctl' | 'dbus';
  /** The verb of systemctl, or the method on the bus; never what it is about. */
  readonly verb: string;
  readonly durationMs: number;
  /** It was turned down, for one unit perhaps, or had no answer. */
  readonly isFailed: boolean;
}

/** Told of each call of systemd. Must not throw. */
export type CallObserver = (call: SystemdCall) => void;

interface Observed extends Pick<SystemdCall, 'by' | 'verb'> {
  readonly clock: Clock;
  readonly onCall: CallObserver | undefined;
}

/** Makes a call and tells of it. */
export async function observeCall<T>(
  { clock, onCall, by, verb }: Observed,
  call: () => Promise<T>,
  hasFailed: (answer: T) => boolean = () => false,
): Promise<T> {
  const startedMs = clock.monotonicMs();
  let isFailed = true;
  try {
    const answer = await call();
    isFailed = hasFailed(answer);
    return answer;
  } finally {
    onCall?.({ by, verb, durationMs: clock.monotonicMs() - startedMs, isFailed });
  }
}

/** The same way to run systemctl, told of. */
export function observeRun(run: RunCommand, told: Pick<Observed, 'clock' | 'onCall'>): RunCommand {
  return (program, args) => {
    // What follows the verb names units.
    const verb = args.find((arg) => !arg.startsWith('-')) ?? '';
    return observeCall(
      { ...told, by: 'systemctl', verb },
      () => run(program, args),
      ({ exitCode }) => exitCode !== 0,
    );
  };
}
