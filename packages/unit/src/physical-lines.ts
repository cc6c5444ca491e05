/** A line of a unit file, without its line end (LF or CRLF). */
export interface PhysicalLine {
  readonly text: string;
  /** The bytes are UTF-8; if not, `text` has U+FFFD in their place. */
  readonly isText: boolean;
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder('utf-8', { ignoreBOM: true });
const loneSurrogate = /\p{Surrogate}/u;
const lineFeed = 0x0a;

/** The lines of a file, in order. Text that ends in a line end has an empty last line. */
export function physicalLines(file: string | Uint8Array): PhysicalLine[] {
  const text = typeof file === 'string' ? file : findText(file);
  if (text !== undefined) {
    const hasSurrogate = loneSurrogate.test(text);
    return text
      .split('\n')
      .map((line) => ({ text: withoutCr(line), isText: !(hasSurrogate && loneSurrogate.test(line)) }));
  }
  return typeof file === 'string' ? [] : byteLines(file).map(decodedLine);
}

function findText(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function byteLines(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return [...lines, bytes.subarray(start)];
}

function decodedLine(bytes: Uint8Array): PhysicalLine {
  const text = findText(bytes);
  return { text: withoutCr(text ?? lenient.decode(bytes)), isText: text !== undefined };
}

function withoutCr(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
