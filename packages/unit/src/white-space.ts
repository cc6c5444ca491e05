const whiteSpace = /^\p{White_Space}$/u;

/** Unicode's White_Space, which is what fleet trims; `String.trim` takes U+FEFF too and leaves U+0085. */
function isWhiteSpace(text: string, index: number): boolean {
  return whiteSpace.test(text.charAt(index));
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
