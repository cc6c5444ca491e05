import type { Registration, StatePublisher } from '@flotilla/registry';
import type { UnitName } from '@flotilla/unit';
import type { Allegiance } from './allegiance.js';
import type { AssignmentView } from './assignment-view.js';
import type { Verdict } from './confirm.js';
import type { KnownUnit } from './desired.js';
import { MissingUnits, type MissingUnitsOptions } from './missing-units.js';

export interface OrderCheckOptions extends MissingUnitsOptions {
  readonly registration: Registration;
  readonly publisher: StatePublisher;
  readonly view: AssignmentView;
  readonly allegiance: Allegiance;
  /** As in `AgentOptions`. */
  readonly onVerified: (freezeReason: string | undefined) => void;
  /** Called when the machine is not, or no longer, frozen. */
  readonly onTrusted: () => void;
  /** Called when all is to be asked anew. */
  readonly onDoubt: () => void;
}

/** Sees to it that orders are taken from the known store alone, and that what it does not have any more is really gone. */
export class OrderCheck {
  readonly #options: OrderCheckOptions;
  readonly #missing: MissingUnits;
  #verified = '';
  #verifiedSnapshots = 0;
  #doubts = 0;

  constructor(options: OrderCheckOptions) {
    this.#options = options;
    this.#missing = new MissingUnits(options);
  }

  /** Has the store asked again who it is, and what it says of units that it has no order for. */
  doubt(): void {
    this.#doubts++;
  }

  /** What orders depend on: if it changes while they are looked at, that look is void. */
  get stamp(): string {
    const { view } = this.#options;
    return `${view.snapshots} ${view.removals} ${view.isCurrent} ${this.#doubts}`;
  }

  /** What the store says of units that it has no order for. */
  get verdicts(): ReadonlyMap<UnitName, Verdict> {
    return this.#missing.verdicts;
  }

  /** How long until the store is to be asked again. */
  nextCheckMs(): number | undefined {
    return this.#missing.nextCheckMs();
  }

  /** Whether the store is one that orders may be taken from; asked if that is not known for this stamp. */
  async isTrusted(stamp: string): Promise<boolean> {
    // Registration asks the store who it is, too, and may have been told something else.
    const isVerified = this.#verified === stamp && this.#options.allegiance.freezeReason === undefined;
    return isVerified || (await this.#verify(stamp));
  }

  /**
   * A unit that a snapshot did not have is stopped only if the store says so in so many words, and if it is the known store
   * that says so, however long ago it was asked who it is. Returns whether it is.
   */
  async confirmMissing(stamp: string): Promise<boolean> {
    const missing = [...this.#findMissing().keys()];
    if (!(await this.#missing.confirm(missing, `${this.#options.view.snapshots} ${this.#doubts}`))) return true;
    let isKnown = false;
    try {
      isKnown = await this.#verify(stamp);
    } finally {
      if (!isKnown) this.#options.onDoubt();
    }
    return isKnown;
  }

  async #verify(stamp: string): Promise<boolean> {
    const { allegiance, registration, publisher, view, onVerified, onTrusted } = this.#options;
    this.#verified = '';
    await allegiance.verify(this.#findMissing());
    const { freezeReason } = allegiance;
    registration.setFrozen(freezeReason);
    if (freezeReason === undefined) onTrusted();
    if (stamp !== this.stamp) return false;
    onVerified(freezeReason);
    if (freezeReason !== undefined) return false;
    this.#verified = stamp;
    // The thread was lost since, and with it what is known of the rows: they may be as they were long ago.
    if (this.#verifiedSnapshots !== view.snapshots) publisher.doubt();
    this.#verifiedSnapshots = view.snapshots;
    return true;
  }

  /** Units that this machine was told to run, and of which the store says nothing, not even that they are gone. */
  #findMissing(): Map<UnitName, KnownUnit> {
    const { view, allegiance } = this.#options;
    const { schedule, globals, removed } = view;
    const isMissing = (name: UnitName) => !schedule.has(name) && !globals.has(name) && !removed.has(name);
    return new Map([...allegiance.known].filter(([name]) => isMissing(name)));
  }
}
