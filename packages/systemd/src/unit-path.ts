const prefix = '/org/freedesktop/systemd1/unit/';

/**
 * The name of the unit whose D-Bus object is at `path`; `undefined` if no unit's is. systemd writes every byte of a name
 * that is no ASCII letter or digit, and a digit at the start, as `_` and two hex digits.
 */
export function findUnitOfPath(path: string): string | undefined {
  if (!path.startsWith(prefix)) return undefined;
  const label = path.slice(prefix.length);
  return label.replace(/_([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
