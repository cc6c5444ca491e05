import { FleetError } from '@flotilla/errors';
import type { UnitName } from '@flotilla/unit';
import { type ClaimDecision, decideClaim, type SeenClaim } from './claim-decision.js';
import type { ClaimScene } from './claim-reads.js';
import { toClaimWrite, toPartingWrite, type Witness } from './claim-write.js';
import type { ChangeClaimsOptions, ClaimChange, ClaimOutcome } from './claims.js';
import { type Compare, maxTransactionSize, type Revision, type StoreError } from './store.js';
import type { UnitResult } from './unit-edit.js';
import { fileKeyOf, type UnitWrite } from './unit-write.js';

/** What a change of a claim needs next. `read-others`: who else claims the unit. */
export type ClaimStep =
  | UnitResult<ClaimOutcome>
  | { readonly kind: 'read' | 'read-others' }
  | { readonly kind: 'write'; readonly write: UnitWrite };

/** Tries against other writers of the same unit. */
const mostAttempts = 8;

/** What is written, and what it is when it is done. `parting`: the unit is marked, nothing else. */
interface Attempt {
  readonly effect: ClaimOutcome | 'parting';
  readonly write: UnitWrite;
}

/** A write that nobody answered: the revision of the claim before it, and the unit's identity. */
interface Unanswered {
  readonly effect: ClaimOutcome;
  readonly error: StoreError;
  readonly claimed: Revision;
  readonly uid: Revision | undefined;
}

/** One change of a claim on its way: what is known, and what was tried. Does no I/O: it says what it needs. */
export class ClaimEdit {
  readonly name: UnitName;
  readonly #change: ClaimChange;
  readonly #options: ChangeClaimsOptions;
  readonly #fileKey: string;
  #seen: SeenClaim | undefined;
  /** One of those who claim the unit as well, `none`, or not looked up since {@link #seen}. */
  #others: Witness | 'none' | undefined;
  #attempts = 0;
  #refusals = 0;
  #attempt: Attempt | undefined;
  /** What a refused write relied on. */
  #refused: readonly Compare[] | undefined;
  #unanswered: Unanswered | undefined;
  #result: UnitResult<ClaimOutcome> | undefined;

  constructor(name: UnitName, change: ClaimChange, options: ChangeClaimsOptions) {
    this.name = name;
    this.#change = change;
    this.#options = options;
    this.#fileKey = change.kind === 'hold' ? fileKeyOf(change.content) : '';
  }

  /** How often others were faster, or the store did not answer. */
  get attempts(): number {
    return this.#attempts;
  }

  step(scene: ClaimScene): ClaimStep {
    const obstacle = this.#result ?? this.#findObstacle(scene);
    if (obstacle !== undefined) return obstacle;
    const seen = this.#seen;
    if (seen === undefined) return { kind: 'read' };
    const done = this.#findDone(seen);
    if (done !== undefined) return settled(done);
    const hasOthers = this.#hasOthers(scene);
    const { owner } = this.#options;
    const decision = decideClaim({
      name: this.name,
      owner,
      change: this.#change,
      fileKey: this.#fileKey,
      seen,
      hasOthers,
    });
    if (decision.kind === 'settled') return settled(decision.outcome);
    if (decision.kind === 'ask-others') return { kind: 'read-others' };
    return this.#try(this.#toAttempt(decision, seen, scene));
  }

  /** The unit and the own claim were looked up. */
  see(seen: SeenClaim): void {
    this.#seen = seen;
    this.#others = undefined;
  }

  /** It was looked up who else claims the unit. */
  seeOthers(others: Witness | 'none'): void {
    this.#others = others;
  }

  /** The write was carried out, at this revision. */
  succeed(revision: Revision): void {
    const { effect } = this.#attempt ?? {};
    const { before, claim } = this.#seen ?? {};
    if (effect !== 'parting') this.#result = effect && settled(effect);
    else if (before !== undefined)
      this.see({ claim, before: { ...before, record: { ...before.record, isParting: true }, modRevision: revision } });
  }

  /** The write was refused, because of this unit or another one of the transaction. */
  refuse(): void {
    this.#refused = this.#attempt?.write.compares;
    this.#refusals++;
    this.#forget();
  }

  /** The write may have been carried out. */
  missAnswer(error: StoreError): void {
    const { effect } = this.#attempt ?? {};
    const { claim, before } = this.#seen ?? {};
    if (effect !== undefined && effect !== 'parting')
      this.#unanswered = { effect, error, claimed: claim?.modRevision ?? 0, uid: before?.uid };
    this.#attempts++;
    this.#forget();
  }

  /** It can't go on. That an earlier write may have been carried out weighs more than the reason. */
  fail(error: unknown): UnitResult<ClaimOutcome> {
    this.#result = { kind: 'failed', error: this.#unanswered?.error ?? error };
    return this.#result;
  }

  #forget(): void {
    this.#seen = undefined;
    this.#others = undefined;
  }

  #findObstacle({ joined, isMachineThere }: ClaimScene): UnitResult<ClaimOutcome> | undefined {
    const { claimant, owner, onlyIfAbsent } = this.#options;
    if (isMachineThere)
      return { kind: 'failed', error: new FleetError('machine-present', `machine ${onlyIfAbsent} is in the cluster`) };
    if (this.#change.kind === 'drop' || joined !== 0) return undefined;
    return { kind: 'failed', error: new FleetError('not-joined', `${claimant} is none of the claimants of ${owner}`) };
  }

  /**
   * Whether an unanswered write was carried out after all: each one puts the claim anew, or takes it away if there is one. Of a unit
   * without a claim that is gone it is not known who has destroyed it, and all the same.
   */
  #findDone({ before, claim }: SeenClaim): ClaimOutcome | undefined {
    const { effect, claimed, uid } = this.#unanswered ?? {};
    const isDone = (claim?.modRevision ?? 0) !== claimed || (effect === 'destroyed' && before?.uid !== uid);
    return isDone ? effect : undefined;
  }

  #hasOthers({ others }: ClaimScene): boolean | undefined {
    if (others.length === 0) return false;
    return this.#others === undefined ? undefined : this.#others !== 'none';
  }

  /** That nobody else claims a unit holds only if those who begin to claim it would change it: it is marked before they are looked up. */
  #toAttempt(decision: Exclude<ClaimDecision, { kind: 'settled' | 'ask-others' }>, seen: SeenClaim, scene: ClaimScene) {
    const { before } = seen;
    const isAlone = decision.kind === 'hold' ? decision.isAlone : decision.effect === 'destroyed';
    if (isAlone && scene.others.length > 0 && before !== undefined && before.record.isParting !== true)
      return { effect: 'parting', write: toPartingWrite(this.name, before) } as const;
    const witness = this.#others === 'none' ? undefined : this.#others;
    const write = toClaimWrite(this.name, { decision, seen, scene, witness, options: this.#options });
    return { effect: decision.effect, write };
  }

  #try(attempt: Attempt): ClaimStep {
    // Who was refused for another's sake has had no rival.
    if (this.#refused !== undefined && !isSame(this.#refused, attempt.write.compares)) this.#attempts++;
    this.#refused = undefined;
    if (this.#attempts >= mostAttempts || this.#refusals >= maxTransactionSize)
      return this.#unanswered === undefined ? settled('rivals') : { kind: 'failed', error: this.#unanswered.error };
    this.#attempt = attempt;
    return { kind: 'write', write: attempt.write };
  }
}

function isSame(one: readonly Compare[], other: readonly Compare[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ key, equals }, at) => other[at]?.key === key && other[at]?.equals === equals)
  );
}

function settled(outcome: ClaimOutcome): UnitResult<ClaimOutcome> {
  return { kind: 'settled', outcome };
}
