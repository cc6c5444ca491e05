import { type MachineId, parseMachineId } from '@flotilla/cluster';
import { FleetError } from '@flotilla/errors';

/** The machine that is spelled exactly so. */
export function findMachineId(text: string): MachineId | undefined {
  try {
    const id = parseMachineId(text);
    return id === text ? id : undefined;
  } catch (error) {
    if (!(error instanceof FleetError && error.code === 'bad-machine-id')) throw error;
    return undefined;
  }
}
