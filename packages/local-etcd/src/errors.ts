import { FleetError } from '@flotilla/errors';

/** The host's own etcd can't be brought up, for now. */
export class LocalEtcdFailed extends FleetError {
  constructor(message: string, lastWords = '') {
    super('local-etcd-failed', lastWords === '' ? message : `${message}: ${lastWords}`);
  }
}
