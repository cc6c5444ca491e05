/** Where a command writes: the process's streams, or a test's strings. */
export interface Terminal {
  /** Writes to stdout, as it is. */
  out(text: string): void;
  /** Writes to stderr, as it is. */
  err(text: string): void;
  /** stderr is a terminal: a line there may be rewritten. */
  readonly isErrTerminal: boolean;
  /** Colours may be used on stderr. */
  readonly hasColours: boolean;
  /** Colours may be used on stdout. */
  readonly hasOutColours: boolean;
}

/** A text in a colour, or as it is. */
export type Paint = (text: string) => string;

/** The colours that messages use. */
export interface Palette {
  readonly good: Paint;
  readonly bad: Paint;
  readonly waiting: Paint;
}

const plain: Paint = (text) => text;

const plainPalette: Palette = { good: plain, bad: plain, waiting: plain };

/** The screen of a terminal; the library for colours is loaded only if there are any. */
export async function createScreen(terminal: Terminal): Promise<Screen> {
  const { hasColours, hasOutColours } = terminal;
  if (!hasColours && !hasOutColours) return new Screen(terminal, { err: plainPalette, out: plainPalette });
  const { default: picocolors } = await import('picocolors');
  const { green, red, yellow } = picocolors.createColors(true);
  const palette = { good: green, bad: red, waiting: yellow };
  return new Screen(terminal, {
    err: hasColours ? palette : plainPalette,
    out: hasOutColours ? palette : plainPalette,
  });
}

/** Writes lines, and under them one line of progress that is rewritten, if stderr is a terminal. */
export class Screen {
  readonly #terminal: Terminal;
  /** For stderr. */
  readonly palette: Palette;
  /** For stdout. */
  readonly outPalette: Palette;
  #progress = '';

  constructor(terminal: Terminal, palettes: { readonly err: Palette; readonly out: Palette }) {
    this.#terminal = terminal;
    this.palette = palettes.err;
    this.outPalette = palettes.out;
  }

  /** Whether {@link progress} is seen. */
  get isErrTerminal(): boolean {
    return this.#terminal.isErrTerminal;
  }

  /** A line on stdout. */
  out(line: string): void {
    this.#clear();
    this.#terminal.out(`${line}\n`);
  }

  /** A line on stderr. */
  err(line: string): void {
    this.#clear();
    this.#terminal.err(`${line}\n`);
  }

  /** Text for stdout that is complete as it is. */
  write(text: string): void {
    this.#clear();
    this.#terminal.out(text);
  }

  /** Shows how it goes; an empty text takes the line away. */
  progress(text: string): void {
    if (!this.#terminal.isErrTerminal || text === this.#progress) return;
    this.#clear();
    this.#progress = text;
    if (text !== '') this.#terminal.err(text);
  }

  #clear(): void {
    if (this.#progress === '') return;
    this.#progress = '';
    this.#terminal.err('\r\x1b[K');
  }
}
