import type { UnitName } from '@flotilla/unit';
import { type BatchOutcome, runBatches } from './batches.js';
import { SystemdUnreachable } from './errors.js';
import type { CommandResult, RunCommand } from './run-command.js';
import { parseFailures, parseLoadedUnits, parseShow, saysUnreachable } from './systemctl-output.js';
import type { UnitStatus } from './unit-manager.js';

/** Names per listing: with names of 256 bytes half of what the kernel takes as arguments. */
const largestListing = 4000;

/** What is asked of many units, each of which is done or fails by itself. */
export type UnitVerb = 'start' | 'stop' | 'restart' | 'kill';

export interface SystemctlOptions {
  /** Talk to the calling user's systemd instead of the machine's. */
  readonly user: boolean;
  readonly run: RunCommand;
}

/** The calls of `systemctl` that a unit manager needs, each for many units. All reject with SystemdUnreachable. */
export class Systemctl {
  readonly #options: SystemctlOptions;
  readonly #scope: readonly string[];

  constructor(options: SystemctlOptions) {
    this.#options = options;
    this.#scope = options.user ? ['--user'] : [];
  }

  /** Queues jobs, or sends signals, and returns what could not be done. */
  async queueJobs(verb: UnitVerb, names: readonly UnitName[]): Promise<Map<UnitName, string>> {
    return await runBatches(names, async (batch) => {
      const result = await this.systemctl([
        verb,
        ...(verb === 'kill' ? ['--signal=SIGKILL'] : ['--no-block']),
        '--',
        ...batch,
      ]);
      return attribute(result, batch);
    });
  }

  /** Runs a verb that takes all of `names` or, failing, does not say which of them it minds. */
  async forAll(
    verb: readonly string[],
    names: readonly UnitName[],
    { asArgument = (name) => name, onOutput }: ForAllOptions = {},
  ): Promise<Map<UnitName, string>> {
    return await runBatches(names, async (batch) => {
      const result = await this.systemctl([...verb, '--', ...batch.map(asArgument)]);
      onOutput?.(`${result.stdout}\n${result.stderr}`);
      return result.exitCode === 0
        ? { kind: 'done', failures: new Map() }
        : { kind: 'unclear', message: reason(result) };
    });
  }

  async daemonReload(): Promise<void> {
    const result = await this.systemctl(['daemon-reload']);
    if (result.exitCode !== 0) throw new SystemdUnreachable(`systemctl daemon-reload: ${reason(result)}`);
  }

  /** Those of `names` that systemd holds in its memory; loads none. */
  async findLoaded(names: readonly string[]): Promise<Map<string, UnitStatus>> {
    const loaded = new Map<string, UnitStatus>();
    for (const part of chunks(names, largestListing)) {
      // systemd takes these for patterns, in which a backslash quotes.
      const patterns = part.map((name) => name.replaceAll('\\', '\\\\'));
      const result = await this.systemctl(['list-units', '--all', '--output=json', '--', ...patterns]);
      if (result.exitCode !== 0) throw new SystemdUnreachable(`systemctl list-units: ${reason(result)}`);
      for (const [name, status] of parseLoadedUnits(result.stdout)) loaded.set(name, status);
    }
    return loaded;
  }

  /** systemd's word on each of `names`; loads what it can. */
  async list(names: readonly string[]): Promise<Map<string, UnitStatus>> {
    const statuses = await this.findLoaded(names);
    // A hundred times dearer for each unit than the listing.
    const others = names.filter((name) => !statuses.has(name));
    for (const part of chunks(others, largestListing))
      for (const [name, status] of await this.#show(part)) statuses.set(name, status);
    return statuses;
  }

  /** The directories in which systemd looks for units, the first first. */
  async findUnitPath(): Promise<string[]> {
    const result = await this.systemctl(['show', '--property=UnitPath', '--value']);
    if (result.exitCode !== 0) throw new SystemdUnreachable(`systemctl show: ${reason(result)}`);
    return result.stdout.split(/\s+/).filter((path) => path !== '');
  }

  async systemctl(args: readonly string[]): Promise<CommandResult> {
    const result = await this.#options.run('systemctl', [...this.#scope, ...args]);
    if (result.exitCode !== 0 && saysUnreachable(result.stderr)) throw new SystemdUnreachable(reason(result));
    return result;
  }

  async #show(names: readonly string[]): Promise<Map<string, UnitStatus>> {
    const show = await this.systemctl(['show', '-p', 'LoadState,ActiveState,SubState,Job', '--', ...names]);
    if (show.exitCode !== 0) throw new SystemdUnreachable(`systemctl show: ${reason(show)}`);
    const jobs = await this.systemctl(['list-jobs', '--plain', '--no-legend']);
    return parseShow(show.stdout, jobs.stdout, names);
  }
}

export interface ForAllOptions {
  /** What stands for a unit on the command line. @default its name */
  readonly asArgument?: (name: UnitName) => string;
  /** Told what each call printed. */
  readonly onOutput?: (output: string) => void;
}

function attribute(result: CommandResult, batch: readonly UnitName[]): BatchOutcome {
  const failures = new Map<UnitName, string>();
  if (result.exitCode === 0) return { kind: 'done', failures };
  const reasons = parseFailures(result.stderr);
  for (const name of batch) {
    const why = reasons.get(name);
    if (why !== undefined) failures.set(name, why);
  }
  return failures.size > 0 ? { kind: 'done', failures } : { kind: 'unclear', message: reason(result) };
}

function reason({ exitCode, stderr }: CommandResult): string {
  return stderr.trim().split('\n')[0] || `exit code ${exitCode}`;
}

function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
