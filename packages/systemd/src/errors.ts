import { FleetError } from '@flotilla/errors';

/**
 * The local systemd can't be asked: no systemctl, no bus, no answer in time. `code` is `systemd-unreachable`; nothing is known about
 * what the call did.
 */
export class SystemdUnreachable extends FleetError {
  constructor(message: string, cause?: unknown) {
    super('systemd-unreachable', message, cause === undefined ? {} : { cause });
  }
}
