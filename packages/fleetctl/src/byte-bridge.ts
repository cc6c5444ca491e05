import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ByteStreams } from './context.js';

/** Connects to a unix socket. Rejects with Node's error. */
export async function connectSocket(path: string): Promise<Socket> {
  const socket = connect(path);
  await once(socket, 'connect');
  return socket;
}

/**
 * Carries bytes between the streams and the socket, at the pace of whoever takes them, until the socket's other side has
 * ended. The end of the input only ends our side of the socket: the answer is still to come.
 */
export async function bridge(socket: Socket, { input, output }: ByteStreams): Promise<void> {
  input.on('error', (error) => socket.destroy(error));
  input.pipe(socket);
  try {
    for await (const chunk of socket) if (!output.write(chunk)) await once(output, 'drain');
  } finally {
    input.unpipe(socket);
    // Else an input that goes on could keep the process.
    input.destroy();
    socket.destroy();
  }
}
