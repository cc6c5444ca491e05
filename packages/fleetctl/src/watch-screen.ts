import { Columns } from './columns.js';
import { headOf, type Listing, rowOf } from './list-output.js';
import type { List } from './show-list.js';
import type { Screen } from './terminal.js';
import { type Frame, frameLines } from './watch-frame.js';
import type { WatchedView } from './watch-list.js';

/** The terminal's second screen, without cursor and line wrapping; and all of it back. */
const enter = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const leave = '\x1b[?7h\x1b[?25h\x1b[?1049l';

/** A watched list on a terminal: one frame, redrawn where it stands. */
export class WatchScreen<Item> implements WatchedView<Item> {
  readonly #screen: Screen;
  readonly #listing: Listing<Item>;
  readonly #stopListening: readonly (() => void)[];
  #frame: Frame = { head: [], rows: [], notes: [] };
  #problem: string | undefined;
  #drawn = '';
  #isClosed = false;

  constructor(screen: Screen, listing: Listing<Item>) {
    this.#screen = screen;
    this.#listing = listing;
    screen.write(enter);
    const { terminal } = screen;
    this.#stopListening = [
      terminal.onResize(() => this.#draw()),
      terminal.onSuspend(
        () => screen.write(leave),
        () => this.#resume(),
      ),
    ];
  }

  async show({ items, details = [], notes = [] }: List<Item>): Promise<void> {
    const { outPalette } = this.#screen;
    const cells = items.map((item) => rowOf(this.#listing, item, outPalette));
    const [head = '', ...rows] = new Columns().lines([headOf(this.#listing), ...cells]);
    this.#frame = {
      head: this.#listing.hasLegend ? [head] : [],
      rows: [...rows, ...details],
      notes: notes.map(({ tone, text }) => outPalette[tone](text)),
    };
    this.#problem = undefined;
    this.#draw();
  }

  showProblem(problem: string): void {
    const { outPalette, isErrTerminal } = this.#screen;
    if (this.#problem === undefined && !isErrTerminal) this.#screen.err(`Error: ${problem}; it is tried again`);
    this.#problem = outPalette.bad(`Error: ${problem}; this is what was known last`);
    this.#draw();
  }

  /** Leaves what was seen last where the cursor was. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const stop of this.#stopListening) stop();
    this.#screen.write(
      leave +
        this.#lines()
          .map((line) => `${line}\n`)
          .join(''),
    );
  }

  #resume(): void {
    this.#screen.write(enter);
    this.#drawn = '';
    this.#draw();
  }

  #lines(): string[] {
    const notes = [...(this.#problem === undefined ? [] : [this.#problem]), ...this.#frame.notes];
    return frameLines({ ...this.#frame, notes }, this.#screen.terminal.size);
  }

  /** In one write and without clearing the screen before: nothing flickers. */
  #draw(): void {
    const text = `\x1b[H${this.#lines()
      .map((line) => `${line}\x1b[K`)
      .join('\r\n')}\x1b[J`;
    const { columns, rows } = this.#screen.terminal.size;
    // A terminal that was resized may have moved what it shows.
    const drawn = `${columns}x${rows} ${text}`;
    if (drawn !== this.#drawn) this.#screen.write(text);
    this.#drawn = drawn;
  }
}
