import type { Context } from './context.js';
import { exitCodes, type Outcome, worstOutcome } from './exit-codes.js';
import type { Expectation } from './verdict.js';
import { type UnitEnd, waitForUnits } from './wait.js';

/** How a command follows what it has asked for. */
export interface FollowOptions {
  /** The word for messages. */
  readonly verb: string;
  /** How long to wait, in all; `Infinity`: for ever; `undefined`: not at all. */
  readonly limitMs: number | undefined;
  /** Is told how the wait for a unit ended, beside what is printed. */
  readonly ended?: (name: string, end: UnitEnd) => void;
}

/** Collects what a command has asked for, waits for it, and makes the exit code of it all. */
export class Follow {
  readonly #context: Context;
  readonly #options: FollowOptions;
  readonly #expectations: Expectation[] = [];
  readonly #outcomes: Outcome[] = [];
  #asked = 0;

  constructor(context: Context, options: FollowOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Prints an error that is about one unit; the others go on. */
  fail(line: string): void {
    this.#context.screen.err(this.#context.screen.palette.bad(line));
    this.count('failed');
  }

  /** Takes an outcome into account that has been printed. */
  count(outcome: Outcome): void {
    this.#outcomes.push(outcome);
  }

  /** Takes into account that so many changes were asked for: the cluster needs time for them. */
  asked(count: number): void {
    this.#asked += count;
  }

  /**
   * Waits for this later. A global unit that is brought up is only waited for until some machine has it, and one that is
   * taken down until it is gone: nothing says on how many machines it should run.
   */
  add(expectation: Expectation, { isGlobal }: { readonly isGlobal: boolean }): void {
    const { verb, limitMs } = this.#options;
    const { goal } = expectation;
    if (isGlobal && goal !== 'gone') {
      this.#context.screen.out(`Triggered global unit ${expectation.name} ${verb}`);
      const isBroughtUp = goal === 'loaded' || goal === 'launched';
      if (isBroughtUp && limitMs !== undefined) this.#expectations.push({ ...expectation, goal: 'somewhere' });
    } else if (limitMs === undefined) this.#context.screen.out(`Triggered unit ${expectation.name} ${verb}`);
    else this.#expectations.push(expectation);
  }

  /**
   * Waits for all that was added.
   *
   * @param order The command's units by name, in the order of its arguments: that of the messages.
   * @param summarise Is told the names that are as wanted, if any.
   * @returns The exit code: the worst outcome decides.
   */
  async finish(
    order: readonly { readonly name: string }[],
    summarise?: (names: readonly string[]) => void,
  ): Promise<number> {
    const { limitMs = 0, ended } = this.#options;
    const added = new Map(this.#expectations.map((each) => [each.name, each]));
    const expectations = order.flatMap(({ name }) => added.get(name) ?? []);
    const outcomes = await waitForUnits(this.#context, {
      expectations,
      changes: this.#asked,
      limitMs,
      ...(ended !== undefined && { ended }),
    });
    const done = expectations.map(({ name }) => name).filter((name) => outcomes.get(name) === 'done');
    if (done.length > 0) summarise?.(done);
    return exitCodes[worstOutcome([...this.#outcomes, ...outcomes.values()])];
  }
}
