import type { Terminal, TerminalSize } from '../terminal.js';

/** A terminal that remembers what is written to it. */
export class TestTerminal implements Terminal {
  /** Everything that was written, in order: `out` or `err`, and the text. */
  readonly written: (readonly ['out' | 'err', string])[] = [];
  readonly isOutTerminal: boolean;
  readonly isErrTerminal: boolean;
  readonly hasColours: boolean;
  readonly hasOutColours: boolean;
  size: TerminalSize = { columns: 80, rows: 24 };
  /** Ctrl-Z, and what follows it. */
  suspend: () => void = () => undefined;
  resume: () => void = () => undefined;
  readonly #resized = new Set<() => void>();
  readonly #interrupted = new Set<() => void>();

  /** @param isTerminal Both streams are. */
  constructor(isTerminal: boolean, { hasColours = false } = {}) {
    this.isOutTerminal = isTerminal;
    this.isErrTerminal = isTerminal;
    this.hasColours = hasColours;
    this.hasOutColours = hasColours;
  }

  out(text: string): void {
    this.written.push(['out', text]);
  }

  err(text: string): void {
    this.written.push(['err', text]);
  }

  /** Takes what was written since the last time. */
  take(): string {
    const text = this.written.map(([, each]) => each).join('');
    this.written.length = 0;
    return text;
  }

  onResize(listener: () => void): () => void {
    this.#resized.add(listener);
    return () => this.#resized.delete(listener);
  }

  onSuspend(suspended: () => void, resumed: () => void): () => void {
    [this.suspend, this.resume] = [suspended, resumed];
    return () => undefined;
  }

  onInterrupt(listener: () => void): () => void {
    this.#interrupted.add(listener);
    return () => this.#interrupted.delete(listener);
  }

  resize(columns: number, rows: number): void {
    this.size = { columns, rows };
    for (const listener of this.#resized) listener();
  }

  interrupt(): void {
    for (const listener of this.#interrupted) listener();
  }
}
