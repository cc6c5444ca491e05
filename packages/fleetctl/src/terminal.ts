import { clipLine } from './clip-line.js';

/** Where a command writes: the process's streams, or a test's strings. */
export interface Terminal {
  /** Writes to stdout, as it is. */
  out(text: string): void;
  /** Writes to stderr, as it is. */
  err(text: string): void;
  /** stdout is a terminal that can be redrawn. */
  readonly isOutTerminal: boolean;
  /** stderr is a terminal: lines there may be rewritten. */
  readonly isErrTerminal: boolean;
  /** Colours may be used on stderr. */
  readonly hasColours: boolean;
  /** Colours may be used on stdout. */
  readonly hasOutColours: boolean;
  /** Of the terminal, in characters; it may change. */
  readonly size: TerminalSize;
  /** Is called when the size has changed. @returns Forgets it. */
  onResize(listener: () => void): () => void;
  /** Are called before Ctrl-Z stops the process, and when it goes on. @returns Forgets them. */
  onSuspend(suspended: () => void, resumed: () => void): () => void;
  /** Is called before the process ends for Ctrl-C. @returns Forgets it. */
  onInterrupt(listener: () => void): () => void;
}

/** Writes to what is no terminal. */
export function plainTerminal(write: Pick<Terminal, 'out' | 'err'>): Terminal {
  return {
    ...write,
    isOutTerminal: false,
    isErrTerminal: false,
    hasColours: false,
    hasOutColours: false,
    size: { columns: 80, rows: 24 },
    onResize: () => () => undefined,
    onSuspend: () => () => undefined,
    onInterrupt: () => () => undefined,
  };
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
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

/** A line of progress must not wrap, also where the terminal shows ^C behind it: it could not be taken back. */
export function progressColumns({ size }: Terminal): number {
  return Math.max(1, size.columns - '^C'.length - 1);
}

/** Writes lines, and under them a few lines of progress that are rewritten, if stderr is a terminal. */
export class Screen {
  readonly terminal: Terminal;
  /** For stderr. */
  readonly palette: Palette;
  /** For stdout. */
  readonly outPalette: Palette;
  #progress: readonly string[] = [];
  #isQuiet = false;

  constructor(terminal: Terminal, palettes: { readonly err: Palette; readonly out: Palette }) {
    this.terminal = terminal;
    this.palette = palettes.err;
    this.outPalette = palettes.out;
  }

  /** Whether {@link progress} is seen. */
  get isErrTerminal(): boolean {
    return this.terminal.isErrTerminal;
  }

  /** The same screen for a command whose stdout is for programs: no lines there, only what is written. */
  quiet(): Screen {
    const screen = new Screen(this.terminal, { err: this.palette, out: this.outPalette });
    screen.#isQuiet = true;
    return screen;
  }

  /** A line on stdout. */
  out(line: string): void {
    if (this.#isQuiet) return;
    this.#clear();
    this.terminal.out(`${line}\n`);
  }

  /** A line on stderr. */
  err(line: string): void {
    this.#clear();
    this.terminal.err(`${line}\n`);
  }

  /** Text for stdout that is complete as it is. */
  write(text: string): void {
    this.#clear();
    this.terminal.out(text);
  }

  /** Shows how it goes, in lines that are cut where the terminal ends; none takes them away. */
  progress(...lines: readonly string[]): void {
    if (!this.terminal.isErrTerminal) return;
    const cut = lines.map((line) => clipLine(line, progressColumns(this.terminal)));
    if (cut.join('\n') === this.#progress.join('\n')) return;
    const back = this.#wayBack();
    this.#progress = cut;
    this.terminal.err(back + cut.join('\n'));
  }

  #clear(): void {
    if (this.#progress.length === 0) return;
    this.terminal.err(this.#wayBack());
    this.#progress = [];
  }

  /** Back to where the progress began, with nothing below. A terminal that has become narrower has wrapped its lines. */
  #wayBack(): string {
    const { columns } = this.terminal.size;
    const rows = this.#progress.reduce((sum, line) => sum + Math.max(1, Math.ceil([...line].length / columns)), 0);
    if (rows === 0) return '';
    return `\r${rows > 1 ? `\x1b[${rows - 1}A` : ''}\x1b[J`;
  }
}
