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

/**
 * Reads, and says of an error what was to be read: in fleet's words, by which scripts know it.
 *
 * @param say Makes the message, which begins with `Error`, of the error's own.
 */
export async function retrieve<T>(say: (message: string) => string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof FleetError)) throw error;
    const { code, message, hint } = error;
    throw new FleetError(code, say(message), { cause: error, ...(hint !== undefined && { hint }) });
  }
}

/** The store is away, or takes nothing new. */
const statusesOfStore: readonly number[] = [503, 507];

/** Whether the other units of the command can still go on: the API answered, and it is not about the store. */
export function isAboutOneUnit(error: unknown): boolean {
  if (error instanceof ApiError) return !statusesOfStore.includes(error.status);
  return !(error instanceof FleetError && (isTransient(error) || error.code === 'bad-answer'));
}
