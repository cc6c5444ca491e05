import type { Clock, Timer } from '@flotilla/runtime';

/** The first look after an action; a quick unit is up within this time. */
const firstMs = 25;

/** Each look waits this much longer than the last, so that a change is seen at most half as late again as it took. */
const growth = 1.5;

/** The longest wait while something is under way, and the wait while nothing is. */
const longestBusyMs = 1000;
const idleMs = 2000;

export interface ChangePollOptions {
  readonly clock: Clock;
  /** Looks at the units; says whether they have changed and whether more is under way. Must not reject. */
  readonly look: () => Promise<{ readonly hasChanged: boolean; readonly isBusy: boolean }>;
  /** Called when a look has found a change. */
  readonly onChange: () => void;
}

/**
 * Looks at units again and again while it is on: often after {@link during} and while jobs are under way, seldom
 * otherwise. For want of signals, or where there would be too many.
 */
export class ChangePoll {
  readonly #options: ChangePollOptions;
  #timer: Timer | undefined;
  #waitMs = idleMs;
  #isOn = false;
  #isLooking = false;
  #actions = 0;

  constructor(options: ChangePollOptions) {
    this.#options = options;
  }

  /** Begins to look, or ends it. */
  set(state: 'on' | 'off'): void {
    const isOn = state === 'on';
    if (isOn === this.#isOn) return;
    this.#isOn = isOn;
    this.#arm(this.#waitMs);
  }

  /** Runs an action on units: systemd, which does one thing at a time, is not looked at meanwhile, but soon after. */
  async during<T>(action: () => Promise<T>): Promise<T> {
    this.#actions++;
    this.#timer?.cancel();
    try {
      return await action();
    } finally {
      this.#actions--;
      this.#waitMs = firstMs;
      if (!this.#isLooking) this.#arm(firstMs);
    }
  }

  /** Whether an action is under way. */
  get isHeld(): boolean {
    return this.#actions > 0;
  }

  /** Looks at once, if it is on. */
  hurry(): void {
    if (!this.#isLooking) this.#arm(0);
  }

  /** Somebody else has looked: the next look may wait its full time. */
  postpone(): void {
    if (!this.#isLooking) this.#arm(this.#waitMs);
  }

  #arm(delayMs: number): void {
    this.#timer?.cancel();
    if (!this.#isOn || this.#actions > 0) return;
    this.#timer = this.#options.clock.setTimer(delayMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    const waitedMs = this.#waitMs;
    const { hasChanged, isBusy } = await this.#options.look();
    this.#isLooking = false;
    const isReset = this.#waitMs < waitedMs;
    if (!isReset) this.#waitMs = nextWaitMs(waitedMs, isBusy);
    this.#arm(this.#waitMs);
    if (hasChanged) this.#options.onChange();
  }
}

function nextWaitMs(waitedMs: number, isBusy: boolean): number {
  if (waitedMs >= idleMs) return isBusy ? firstMs : idleMs;
  if (waitedMs < longestBusyMs) return Math.min(waitedMs * growth, longestBusyMs);
  return isBusy ? longestBusyMs : idleMs;
}
