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

/** The store is away, or takes nothing new. */
const statusesOfStore: readonly number[] = [503, 507];

/** Whether the other units of the command can still go on: the API answered, and it is not about the store. */
export function isAboutOneUnit(error: unknown): boolean {
  if (error instanceof ApiError) return !statusesOfStore.includes(error.status);
  return !(error instanceof FleetError && (isTransient(error) || error.code === 'bad-answer'));
}
