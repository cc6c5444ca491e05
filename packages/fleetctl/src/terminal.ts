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
}

/** A text in a colour, or as it is. */
export type Paint = (text: string) => string;

/** The colours that messages use. */
export interface Palette {
  readonly bad: Paint;
  readonly waiting: Paint;
}

const plain: Paint = (text) => text;

/** The palette for a terminal; the library is loaded only if there are colours. */
export async function createPalette(terminal: Terminal): Promise<Palette> {
  if (!terminal.hasColours) return { bad: plain, waiting: plain };
  const { default: picocolors } = await import('picocolors');
  const { red, yellow } = picocolors.createColors(true);
  return { bad: red, waiting: yellow };
}

/** Writes lines, and under them one line of progress that is rewritten, if stderr is a terminal. */
export class Screen {
  readonly #terminal: Terminal;
  readonly palette: Palette;
  #progress = '';

  constructor(terminal: Terminal, palette: Palette) {
    this.#terminal = terminal;
    this.palette = palette;
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
