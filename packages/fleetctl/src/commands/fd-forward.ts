import type { Socket } from 'node:net';
import { bridge, connectSocket } from '../byte-bridge.js';
import { examples, type LocalCommand } from '../command.js';
import { messageOf } from '../errors.js';
import { exitCodes } from '../exit-codes.js';

/** What Linux has room for in the address of a unix socket, less its last byte (unix(7)). */
const longestPath = 107;

export const fdForward: LocalCommand = {
  configure(command) {
    command
      .description(
        'Connects stdin and stdout with a unix socket: what comes in goes there, what comes from there goes out. The ' +
          'end of stdin ends only its own direction; it is over when the socket is. With SSH, it makes a tunnel to a ' +
          "fleetd that listens nowhere else; fleet's `fleetctl --tunnel` calls it on the other end.",
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl fd-forward /var/run/fleet.sock < request > answer',
          'ssh core@10.0.0.1 fleetctl fd-forward /var/run/fleet.sock',
        ),
      );
  },
  async runLocally({ screen, openStreams }, command) {
    const fail = (line: string) => {
      screen.err(screen.palette.bad(line));
      return exitCodes.failed;
    };
    const [path, ...more] = command.args;
    if (path === undefined || more.length > 0) return fail('Provide a single argument');
    const problem = problemOf(path);
    if (problem !== undefined) return fail(`Unable to use ${JSON.stringify(path)} as unix address: ${problem}`);
    let socket: Socket;
    try {
      socket = await connectSocket(path);
    } catch (error) {
      fail(`Failed dialing remote address: ${messageOf(error)}`);
      screen.err('Is fleetd running here (systemctl status fleet), and is this its socket?');
      return exitCodes.failed;
    }
    try {
      await bridge(socket, openStreams());
    } catch (error) {
      return fail(`Encountered error during copy: ${messageOf(error)}`);
    }
    return exitCodes.done;
  },
};

function problemOf(path: string): string | undefined {
  if (path === '') return 'it is empty';
  const bytes = Buffer.byteLength(path);
  return bytes > longestPath ? `it has ${bytes} bytes, and there is room for ${longestPath}` : undefined;
}
