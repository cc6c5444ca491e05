/** A line of a file as bytes. */
export interface ByteLine {
  /** Without its line end, LF or CRLF, and without a byte order mark. */
  readonly text: string;
  readonly isText: boolean;
  /** Counted from 1. */
  readonly number: number;
  /** Where it begins in the file, in bytes. */
  readonly start: number;
  /** Where the next line begins, or the file ends. */
  readonly end: number;
}

const lineFeed = 0x0a;
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder('utf-8', { ignoreBOM: true });

/** Whether the bytes are UTF-8. */
export function isUtf8(bytes: Uint8Array): boolean {
  return decode(bytes) !== undefined;
}

/** The lines of a file. One that ends in a line end has no empty line after it. */
export function byteLines(bytes: Uint8Array): ByteLine[] {
  const lines: ByteLine[] = [];
  for (let start = 0, number = 1; start < bytes.length; number++) {
    const feed = bytes.indexOf(lineFeed, start);
    const end = feed < 0 ? bytes.length : feed + 1;
    const content = bytes.subarray(start, feed < 0 ? end : feed);
    const text = decode(content);
    lines.push({ text: bare(text ?? lenient.decode(content), number), isText: text !== undefined, number, start, end });
    start = end;
  }
  return lines;
}

function bare(text: string, number: number): string {
  return text.slice(number === 1 && text.startsWith('\ufeff') ? 1 : 0).replace(/\r$/, '');
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
