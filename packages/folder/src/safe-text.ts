/** Control and format characters, and what stands for bytes that are no UTF-8: a terminal obeys them, or shows nothing. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\ufffd]/gu;

/** Whether a name can't be printed as it is. */
export function hasUnsafe(text: string): boolean {
  return text.search(unsafe) >= 0;
}

/** The text with `\u{1b}` and the like for characters that are not to reach a terminal. */
export function safeText(text: string): string {
  return text.replace(unsafe, (char) => (char === '\ufffd' ? char : `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`));
}

/** A text that may quote what is a file long, without its middle if it has more than `most` characters. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const half = Math.floor((most - 1) / 2);
  return `${text.slice(0, half)}…${text.slice(-half)}`;
}
