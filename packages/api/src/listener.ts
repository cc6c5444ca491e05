import { chmod, chown, lstat, unlink } from 'node:fs/promises';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { ListenError } from './errors.js';
import type { ApiRequest } from './request.js';

/** Where the API listens. */
export type ListenerOptions =
  /** A socket file; what an earlier process left there is removed. */
  | {
      readonly kind: 'unix';
      readonly path: string;
      /** @default 0o660 */
      readonly mode?: number;
      /** The group's ID. @default the process's */
      readonly gid?: number;
    }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** A listening socket that was passed to this process; of whatever kind. */
  | { readonly kind: 'inherited'; readonly fd: number };

/** Where a server listens, once it does. `address` is `path`, `host:port`, or `fd <n>` for an inherited unix socket. */
export interface Listening {
  readonly door: ApiRequest['door'];
  readonly address: string;
}

const defaultMode = 0o660;

/** In bytes; libuv cuts what is longer off, and binds whatever is left. @see unix(7) */
const longestPath = 107;

/** Nobody may connect while the socket file has the wrong group. */
const ownerOnly = 0o177;

/**
 * Makes `server` listen.
 *
 * @throws ListenError
 */
export async function listen(server: Server, options: ListenerOptions): Promise<Listening> {
  if (options.kind === 'unix') await listenOnPath(server, options);
  else await started(server, describe(options), () => server.listen(options));
  const address = server.address();
  if (address === null || typeof address === 'string') return { door: 'unix', address: describe(options) };
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { door: 'tcp', address: `${host}:${address.port}` };
}

async function listenOnPath(server: Server, options: Extract<ListenerOptions, { kind: 'unix' }>): Promise<void> {
  const { path, mode = defaultMode, gid } = options;
  if (Buffer.byteLength(path) > longestPath)
    throw new ListenError(path, `a socket's path has ${longestPath} bytes at most`);
  // libuv would say that it was not permitted.
  if ((await lstat(dirname(path)).catch(ignoreAbsent)) === undefined)
    throw new ListenError(path, `there is no directory ${dirname(path)}`);
  await removeDeadSocket(path);
  await started(server, path, () => {
    // The file is made within the call.
    const before = process.umask(ownerOnly);
    server.listen({ path });
    process.umask(before);
  });
  try {
    if (gid !== undefined) await chown(path, -1, gid);
    await chmod(path, mode);
  } catch (cause) {
    server.close();
    throw new ListenError(path, reason(cause), cause);
  }
}

function started(server: Server, where: string, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => reject(new ListenError(where, reason(cause), cause));
    server.once('error', fail);
    server.once('listening', () => {
      server.off('error', fail);
      resolve();
    });
    start();
  });
}

/** Removes a socket that nobody listens on, as a killed process leaves it. Anything else stays, and is an error. */
async function removeDeadSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(ignoreAbsent);
  if (found === undefined) return;
  if (!found.isSocket()) throw new ListenError(path, 'there is a file of another kind');
  if (await isAnswered(path)) throw new ListenError(path, 'another process listens there');
  await unlink(path).catch(ignoreAbsent);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // A full backlog (EAGAIN) or a missing right (EACCES) is no proof that nobody listens.
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}

function ignoreAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

/** Where that is, in few words. */
export function describe(options: ListenerOptions): string {
  switch (options.kind) {
    case 'unix':
      return options.path;
    case 'tcp':
      return `${options.host}:${options.port}`;
    case 'inherited':
      return `fd ${options.fd}`;
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
