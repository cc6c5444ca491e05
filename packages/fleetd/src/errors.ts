import { FatalError } from '@flotilla/errors';

/** The configuration can't be used. The message says where the mistake stands and what would be right. */
export class ConfigError extends FatalError {
  constructor(message: string, hint?: string) {
    super('bad-config', message, hint === undefined ? {} : { hint });
  }
}

/** `fleetd install` can't do what it is asked to on this host. */
export class InstallError extends FatalError {
  constructor(message: string, hint?: string) {
    super('cannot-install', message, hint === undefined ? {} : { hint });
  }
}
