import { isIP } from 'node:net';

/** Where fleetd binds a socket by itself. */
export type ListenAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** What an address of `listen` must look like, for messages. */
export const expectedAddress = 'unix:///path, http://host:port or host:port, separated by commas';

/** Reads a list of addresses; `undefined` if one is none. An address that stands there twice is there once. */
export function parseListen(text: string): ListenAddress[] | undefined {
  const addresses = new Map<string, ListenAddress>();
  for (const item of text.split(',').map((part) => part.trim())) {
    if (item === '') continue;
    const address = parseAddress(item);
    if (address === undefined) return undefined;
    addresses.set(formatAddress(address), address);
  }
  return [...addresses.values()];
}

function parseAddress(text: string): ListenAddress | undefined {
  const [, path] = /^unix:\/\/(\/[^\0]*[^/\0])$/.exec(text) ?? [];
  if (path !== undefined) return { kind: 'unix', path };
  const [, ipv6, name, digits] =
    /^(?:http:\/\/)?(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]/@?#\s]+)):(\d{1,5})\/?$/.exec(text) ?? [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  if (ipv6 !== undefined && isIP(ipv6) !== 6) return undefined;
  return { kind: 'tcp', host: host.toLowerCase(), port };
}

/** The path, or `host:port`. */
export function formatAddress(address: ListenAddress): string {
  if (address.kind === 'unix') return address.path;
  const { host, port } = address;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Whether only this host reaches a host's name or address. */
export function isLoopback(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith('127.');
  return host === '::1' || host === 'localhost' || host.toLowerCase().startsWith('::ffff:127.');
}
