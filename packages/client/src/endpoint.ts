import { FleetError } from '@flotilla/errors';

/** Where an API listens: a unix socket, or a host and port, with TLS or without. */
export type Endpoint =
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'tcp' | 'tls'; readonly host: string; readonly port: number };

const defaultPorts = { http: 80, https: 443 } as const;

/**
 * The address in an endpoint's URL: `unix:///run/fleet.sock` (also `unix:` and `file:` without slashes) or
 * `http://host:port`, `https://host:port`.
 *
 * @throws FleetError `bad-endpoint`, with a hint on what to write instead.
 */
export function parseEndpoint(text: string): Endpoint {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === 'unix' || scheme === 'file') return parseSocket(text, scheme);
  if (scheme === 'http' || scheme === 'https') return parseHttp(text, scheme);
  if (text.startsWith('/')) throw badEndpoint(text, 'the URL scheme is missing', `Write unix://${text}.`);
  throw badEndpoint(
    text,
    'the URL scheme is none of unix, file, http, https',
    `Write http://${text.replace(/^[a-z0-9+.-]*:\/\//i, '')} or unix:///path/to/socket.`,
  );
}

function parseSocket(text: string, scheme: string): Endpoint {
  const rest = text.slice(scheme.length + 1);
  const path = rest.startsWith('//') ? rest.slice(2) : rest;
  if (path.startsWith('/')) return { kind: 'socket', path };
  const cause = path === '' ? 'it has no path' : `"${path.split('/')[0]}" would be a host, and sockets have none`;
  throw badEndpoint(text, cause, `Write ${scheme}:///${path === '' ? 'path/to/socket' : path}, with three slashes.`);
}

function parseHttp(text: string, scheme: 'http' | 'https'): Endpoint {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw badEndpoint(text, 'it is not a URL', `Write ${scheme}://host:port.`);
  }
  if ((url.pathname !== '/' && url.pathname !== '') || url.search !== '')
    throw badEndpoint(text, 'it has a path', `Write ${scheme}://${url.host}.`);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? defaultPorts[scheme] : Number(url.port);
  return { kind: scheme === 'https' ? 'tls' : 'tcp', host, port };
}

function badEndpoint(text: string, cause: string, hint: string): FleetError {
  return new FleetError('bad-endpoint', `bad endpoint "${text}": ${cause}`, { hint });
}
