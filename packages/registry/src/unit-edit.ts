import type { UnitName } from '@flotilla/unit';
import type { StoreError } from './store.js';
import type { Asked, Seen } from './unit-before.js';
import {
  decideUnitChange,
  dependsOnStates,
  isSameRecord,
  type UnitChange,
  type UnitChangeEffect,
  type UnitChangeRefusal,
} from './unit-change.js';
import { fileKeyOf, toUnitWrite, type UnitWrite, type WriteDecision } from './unit-write.js';

/** What came of a change: its effect, why it was refused, or `conflict` if others kept changing the unit meanwhile. */
export type PutUnitOutcome = UnitChangeEffect | UnitChangeRefusal | 'conflict';

/** What came of one of several units: an outcome, or what would have been thrown for it alone. */
export type UnitResult<T> =
  | { readonly kind: 'settled'; readonly outcome: T }
  | { readonly kind: 'failed'; readonly error: unknown };

/** What a change needs next. */
export type EditStep =
  | UnitResult<PutUnitOutcome>
  | { readonly kind: 'read'; readonly needsStates: boolean }
  | { readonly kind: 'write'; readonly write: UnitWrite };

/** Tries against other writers of the same unit. Taste: people and directories write one unit a few times a minute. */
const mostAttempts = 8;

/** One change on its way: what is known of the unit, and what was tried. Does no I/O: it says what it needs. */
export class UnitEdit implements Asked {
  readonly name: UnitName;
  readonly change: UnitChange;
  readonly #fileKey: string;
  #seen: Seen | undefined;
  #attempts = 0;
  #decision: WriteDecision | undefined;
  #unanswered: { readonly decision: WriteDecision; readonly error: StoreError } | undefined;
  #result: UnitResult<PutUnitOutcome> | undefined;

  /** With content it begins as if there were no such unit: if there is, the refused write tells as much as a read. */
  constructor(name: UnitName, change: UnitChange) {
    const { content } = change;
    this.name = name;
    this.change = change;
    this.#fileKey = content === undefined ? '' : fileKeyOf(content);
    if (content !== undefined) this.#seen = { before: undefined, hasStates: true, isAssumed: true };
  }

  /** How often others were faster, or the store did not answer. */
  get attempts(): number {
    return this.#attempts;
  }

  step(): EditStep {
    if (this.#result !== undefined) return this.#result;
    if (this.#seen === undefined) return { kind: 'read', needsStates: false };
    const { before, hasStates } = this.#seen;
    const unanswered = this.#unanswered?.decision;
    if (unanswered !== undefined && before !== undefined && isSameRecord(before.record, unanswered.record))
      return settled(unanswered.effect);
    if (before !== undefined && !hasStates && dependsOnStates(this.change, before.record))
      return { kind: 'read', needsStates: true };
    const decision = decideUnitChange(this.name, {
      change: this.change,
      fileKey: this.#fileKey,
      ...(before === undefined ? {} : { before }),
    });
    // What was asked may be there although others have changed the unit again since.
    if (decision.kind === 'refuse')
      return settled(decision.why === 'nothing-asked' && unanswered ? unanswered.effect : decision.why);
    if (decision.effect === 'unchanged') return settled(decision.effect);
    if (this.#attempts >= mostAttempts) return this.#giveUp();
    this.#decision = decision;
    return { kind: 'write', write: toUnitWrite(this.name, { before, decision }) };
  }

  /** The unit was looked up. */
  see(seen: Seen): void {
    this.#seen = seen;
  }

  /** The write was refused, because the unit is another one by now. */
  seeOther(seen: Seen): void {
    if (this.#seen?.isAssumed !== true) this.#attempts++;
    this.#seen = seen;
  }

  /** The write was carried out. */
  succeed(): void {
    if (this.#decision !== undefined) this.#result = settled(this.#decision.effect);
  }

  /** The write may have been carried out. */
  missAnswer(error: StoreError): void {
    this.#attempts++;
    if (this.#decision !== undefined) this.#unanswered = { decision: this.#decision, error };
    this.#seen = undefined;
  }

  /** It can't go on. That an earlier write may have been carried out weighs more than the reason. */
  fail(error: unknown): void {
    this.#result = { kind: 'failed', error: this.#unanswered?.error ?? error };
  }

  #giveUp(): UnitResult<PutUnitOutcome> {
    return this.#unanswered === undefined ? settled('conflict') : { kind: 'failed', error: this.#unanswered.error };
  }
}

function settled(outcome: PutUnitOutcome): UnitResult<PutUnitOutcome> {
  return { kind: 'settled', outcome };
}
