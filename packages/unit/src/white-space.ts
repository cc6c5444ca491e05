/** Unicode's White_Space beyond ASCII. */
const wideSpaces = new Set([
  ...[0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000],
  ...Array.from({ length: 11 }, (_, index) => 0x2000 + index),
]);

/** Unicode's White_Space, which is what fleet trims; `String.trim` takes U+FEFF too and leaves U+0085. */
function isWhiteSpace(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code < 0x80 ? code === 0x20 || (code >= 0x09 && code <= 0x0d) : wideSpaces.has(code);
}

/** `text` without the white space at its start. */
export function trimStart(text: string): string {
  let start = 0;
  while (start < text.length && isWhiteSpace(text, start)) start++;
  return text.slice(start);
}

/** `text` without the white space at both ends. Takes linear time, unlike a regular expression anchored at the end. */
export function trim(text: string): string {
  let end = text.length;
  while (end > 0 && isWhiteSpace(text, end - 1)) end--;
  return trimStart(text.slice(0, end));
}
