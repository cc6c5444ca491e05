import { isIP } from 'node:net';
import type { ApiRequest } from './request.js';

/**
 * Why a request may come from a web page that has no business here; `undefined` if it doesn't. A browser can be made to
 * send requests to any address that it reaches, under any name that a foreign DNS server resolves to it. So over TCP
 * only addresses, `localhost` and `hostNames` (in lower case) are accepted as Host, and an Origin must be that same
 * host. The unix socket accepts any Host, since proxies and SSH tunnels make them up, and no Origin: no browser can
 * reach it.
 */
export function findForeign({ door, headers }: ApiRequest, hostNames: ReadonlySet<string>): string | undefined {
  const hosts = headers.host ?? [];
  const origins = headers.origin ?? [];
  if (door === 'unix') return origins.length === 0 ? undefined : 'requests with an Origin are refused on this socket';
  const [host] = hosts;
  // HTTP/1.0 knows no Host, and browsers don't speak it.
  if (host !== undefined && (hosts.length > 1 || !isOwnHost(host, hostNames)))
    return `Host ${JSON.stringify(hosts.join(', '))} is not this machine's: use its address or its host name`;
  if (origins.some((origin) => host === undefined || !isSameHost(origin, host)))
    return `Origin ${JSON.stringify(origins.join(', '))} is foreign`;
  return undefined;
}

function isOwnHost(host: string, hostNames: ReadonlySet<string>): boolean {
  const name = hostName(host);
  return name !== undefined && (isIP(name) !== 0 || name === 'localhost' || hostNames.has(name));
}

/** The name or address in a Host header, without port, brackets and final dot. */
function hostName(host: string): string | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]/@?#\s]+?)\.?)(?::\d*)?$/.exec(host);
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

function isSameHost(origin: string, host: string): boolean {
  const match = /^(https?):\/\/([^/?#@]+)$/i.exec(origin);
  const [, scheme = '', originHost = ''] = match ?? [];
  const port = scheme.toLowerCase() === 'https' ? ':443' : ':80';
  const plain = (text: string) => (text.endsWith(port) ? text.slice(0, -port.length) : text).toLowerCase();
  return match !== null && plain(originHost) === plain(host);
}
