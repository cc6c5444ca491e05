/** A request target taken apart. */
export type Target =
  | { readonly kind: 'path'; readonly path: string; readonly query: URLSearchParams }
  /** The path is not in its shortest form: `location` is the same target with it. */
  | { readonly kind: 'moved'; readonly location: string }
  | { readonly kind: 'malformed' };

/** Reads a request target: a path and a query, or (as proxies send it) a URL. */
export function parseTarget(url: string): Target {
  const local = url.startsWith('/') ? url : withoutOrigin(url);
  // No client sends a fragment; cut off, it would leave the name of another unit.
  if (local === undefined || local.includes('#')) return { kind: 'malformed' };
  const queryAt = local.indexOf('?');
  const path = queryAt < 0 ? local : local.slice(0, queryAt);
  const query = queryAt < 0 ? '' : local.slice(queryAt);
  const clean = cleanPath(path);
  if (clean === undefined) return { kind: 'malformed' };
  if (clean !== path) return { kind: 'moved', location: clean + query };
  return { kind: 'path', path, query: new URLSearchParams(query) };
}

function withoutOrigin(url: string): string | undefined {
  const match = /^https?:\/\/[^/?#]*(\/[^#]*)?$/i.exec(url);
  return match === null ? undefined : (match[1] ?? '/');
}

/** The path without empty, `.` and `..` segments; `undefined` if its escapes are not ones. */
function cleanPath(path: string): string | undefined {
  const kept: string[] = [];
  const segments = path.slice(1).split('/');
  for (const [index, segment] of segments.entries()) {
    const plain = decodeSegment(segment);
    if (plain === undefined) return undefined;
    const isLast = index === segments.length - 1;
    if (plain === '..') kept.pop();
    else if (plain !== '' && plain !== '.') kept.push(segment);
    if (isLast && plain === '' && kept.length > 0) kept.push('');
  }
  return `/${kept.join('/')}`;
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    // A URIError: there is a `%` that begins no escape, or bytes that are not UTF-8.
    return undefined;
  }
}
