const shortHashLength = 7;

/** A hash for a table: 7 digits, or all; `-` if unknown. */
export function shortHashCell(hash: string, isFull: boolean): string {
  return (isFull ? hash : hash.slice(0, shortHashLength)) || '-';
}
