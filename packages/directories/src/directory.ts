import { ReconcileLoop, type Timer } from '@flotilla/runtime';
import { type DirectoryDescription, DirectoryPass, type DirectoryPassOptions } from './directory-pass.js';
import type { Sight, Sighting } from './sighting.js';

/** How often a directory is looked at for little. Taste. */
const glanceMs = 5_000;
/** Signs of one change come together; signs that do not end are taken in once a second. */
const gatherMs = 50;
const spacingMs = 1_000;
const firstSpacingMs = 100;
/** How long a pass may take: thousands of units, and a slow store. */
const deadlineMs = 600_000;

export interface DirectoryOptions extends DirectoryPassOptions {
  /** @default the configuration does not name the directory any more */
  readonly sighting?: Sighting;
}

const notConfigured: Sight = { kind: 'missing', why: 'not-configured', message: '', dueMs: Number.POSITIVE_INFINITY };

/** Makes the cluster follow one directory of this host: when to look, and at what. */
export class Directory {
  readonly #options: DirectoryOptions;
  readonly #loop: ReconcileLoop;
  readonly #pass: DirectoryPass;
  #due: Timer | undefined;
  /** When the next look is due, on the monotonic clock. */
  #dueMs = 0;
  #isTouched = true;

  constructor(options: DirectoryOptions) {
    this.#options = options;
    const { clock, log, owner, sighting } = options;
    this.#pass = new DirectoryPass(options);
    this.#loop = new ReconcileLoop({
      name: `directory ${owner}`,
      body: ({ signal }) => this.#run(signal),
      clock,
      log,
      gatherMs,
      spacingMs,
      firstSpacingMs,
      deadlineMs,
      ...(sighting !== undefined && { intervalMs: glanceMs }),
    });
  }

  start(): void {
    this.#loop.start();
  }

  /** Ends with the pass that is under way. */
  async close(): Promise<void> {
    await this.#loop.close();
    this.#due?.cancel();
    this.#options.sighting?.close();
  }

  /** What the store has may be something else than what was read. */
  reload(): void {
    this.#pass.standing.invalidate();
    this.#touch();
  }

  /** Whether a person has said something about what is held back. */
  noteOrder(isThere: boolean): void {
    this.#pass.noteOrder(isThere);
    if (isThere) this.#touch();
  }

  /** Some owner may have more units, or fewer. */
  noteOwners(): void {
    if (this.#pass.askAgain()) this.#touch();
  }

  describe(): DirectoryDescription {
    return this.#pass.describe();
  }

  #touch(): void {
    this.#isTouched = true;
    this.#loop.wake();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    if (await this.#isDue()) {
      this.#isTouched = false;
      try {
        await this.#look(signal);
      } catch (error) {
        this.#isTouched = true;
        throw error;
      }
    }
    this.#due?.cancel();
    const waitMs = Math.max(0, this.#dueMs - clock.monotonicMs());
    if (waitMs < Number.POSITIVE_INFINITY) this.#due = clock.setTimer(waitMs, () => this.#loop.wake());
  }

  async #isDue(): Promise<boolean> {
    const { clock, sighting } = this.#options;
    if (this.#isTouched || this.#pass.standing.isStale || clock.monotonicMs() >= this.#dueMs) return true;
    return (await sighting?.isTouched()) === true;
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { sighting } = this.#options;
    const { standing } = this.#pass;
    if (standing.isStale && (await standing.load()))
      sighting?.expect(Array.from(standing.claims.values(), ({ source }) => source));
    const sight = (await sighting?.look(() => this.#touch())) ?? notConfigured;
    this.#dueMs = sight.dueMs;
    if (sight.kind === 'unsettled' || signal.aborted) return;
    const retryMs = await this.#pass.run(sight, signal);
    this.#dueMs = Math.min(sight.dueMs, retryMs ?? Number.POSITIVE_INFINITY);
  }
}
