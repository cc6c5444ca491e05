import type {
  AdoptUnitAnswer,
  AdoptUnitRequest,
  ConfirmDirectoryAnswer,
  DirectoriesAnswer,
  DirectoryDetailEntity,
  DirectoryEntity,
  ForgetDirectoriesAnswer,
  ForgetDirectoriesRequest,
} from '@flotilla/schema';
import { decode, isUnknownRequest } from './answer.js';
import { adoptPath, directoriesPath, directoryPath, machineRequest } from './paths.js';
import type { Transport } from './transport.js';

/** The part of the API that is about directories, and whose units are. */
export interface DirectoryClient {
  /** Watched directories, and what is applied under an owner's name: by name, with all hosts. */
  listDirectories(): Promise<readonly DirectoryEntity[]>;
  /** One of them, with its units; `undefined` if there is none of that name. */
  findDirectory(name: string): Promise<DirectoryDetailEntity | undefined>;
  /** Has done what its hosts hold back. Throws {@link ApiError} 404 and 409 if it is not there, or nothing is held back. */
  confirmDirectory(name: string): Promise<ConfirmDirectoryAnswer>;
  /**
   * What a machine that is gone wants of directories counts no longer. Throws {@link ApiError} 404 and 409 if it wants
   * nothing, or is in the cluster.
   */
  forgetDirectories(machineID: string, request?: ForgetDirectoriesRequest): Promise<ForgetDirectoriesAnswer>;
  /**
   * Gives a unit to another owner, or to the API's users. Throws {@link ApiError} 400 for a name that is none of an owner,
   * 404 if there is no such unit.
   */
  adoptUnit(name: string, request?: AdoptUnitRequest): Promise<AdoptUnitAnswer>;
}

/** That part, over `transport`. */
export function createDirectoryClient(transport: Transport): DirectoryClient {
  return {
    async listDirectories() {
      const answer = await transport.send({ method: 'GET', path: directoriesPath });
      return decode<DirectoriesAnswer>(answer).directories;
    },
    async findDirectory(name) {
      const answer = await transport.send({ method: 'GET', path: directoryPath(name) });
      if (answer.status === 404 && !isUnknownRequest(answer)) return undefined;
      return decode<DirectoryDetailEntity>(answer);
    },
    async confirmDirectory(name) {
      return decode(await transport.send({ method: 'POST', path: directoryPath(name, 'confirm'), body: '{}' }));
    },
    // Sent again, the next two would tell of what the first time has left.
    async forgetDirectories(machineID, request = {}) {
      return decode(await transport.send({ ...machineRequest(machineID, 'forget-dirs', request), isOnce: true }));
    },
    async adoptUnit(name, request = {}) {
      const body = JSON.stringify(request);
      return decode(await transport.send({ method: 'POST', path: adoptPath(name), body, isOnce: true }));
    },
  };
}
