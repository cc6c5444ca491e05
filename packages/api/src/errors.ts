import { FatalError } from '@flotilla/errors';

/** A listener that can't be had: its address is taken, or not this machine's. The daemon can't serve without it. */
export class ListenError extends FatalError {
  constructor(where: string, why: string, cause?: unknown) {
    super('cannot-listen', `cannot listen on ${where}: ${why}`, cause === undefined ? {} : { cause });
  }
}
