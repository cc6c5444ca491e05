import { ApiError, isTransient } from '@flotilla/client';
import { FleetError } from '@flotilla/errors';

/** The command line makes no sense; nothing was done. */
export class UsageError extends FleetError {
  constructor(message: string, hint?: string) {
    super('usage', message, hint === undefined ? {} : { hint });
  }
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether the other units of the command can still go on: the API answered, and it is not the store that is away. */
export function isAboutOneUnit(error: unknown): boolean {
  if (error instanceof ApiError) return error.status !== 503;
  return !(error instanceof FleetError && (isTransient(error) || error.code === 'bad-answer'));
}
