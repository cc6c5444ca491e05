import type { Client } from '@flotilla/client';
import { candidates } from '../candidates.js';
import type { NameKind } from '../catalogue.js';
import { examples, type LocalCommand } from '../command.js';
import { exitCodes } from '../exit-codes.js';

/** What the scripts of `fleetctl completion` call, with the words of the line up to the cursor. */
export const completionWords: LocalCommand = {
  configure(command) {
    command
      .description('Prints what may stand in place of the last of the words, a line each.')
      .addHelpText('after', examples('fleetctl completion words -- machine metadata s'));
  },
  async runLocally({ screen, connect }, command) {
    const readNames = async (kind: NameKind) => {
      const client = await connect();
      try {
        return await namesOf(client, kind);
      } finally {
        client.close();
      }
    };
    screen.write((await candidates(command.args, readNames)).map((word) => `${word}\n`).join(''));
    return exitCodes.done;
  },
};

async function namesOf(client: Client, kind: NameKind): Promise<readonly string[]> {
  switch (kind) {
    case 'unit':
      return (await client.listUnits()).map(({ name }) => name);
    case 'machine':
      return (await client.listMachines()).map(({ id }) => id);
    case 'directory':
      return (await client.listDirectories()).map(({ name }) => name);
    case 'lost-directory-host': {
      const hosts = (await client.listDirectories()).flatMap((directory) => directory.hosts);
      return [...new Set(hosts.filter(({ isLost }) => isLost === true).map(({ claimant }) => claimant))];
    }
  }
}
