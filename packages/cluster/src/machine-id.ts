import { FleetError } from '@flotilla/errors';
import type { MachineId } from './cluster-model.js';

/** systemd writes 32 hex digits. Other IDs are let through as long as they are safe in a key, a path and a URL. */
const machineIdPattern = /^[0-9A-Za-z][0-9A-Za-z_-]{0,127}$/;

const shortIdLength = 8;

/**
 * The machine ID that `text` spells, white space around it ignored, as `/etc/machine-id` ends in a newline.
 *
 * @throws FleetError `bad-machine-id`
 */
export function parseMachineId(text: string): MachineId {
  const id = text.trim();
  if (!machineIdPattern.test(id)) {
    throw new FleetError('bad-machine-id', `not a machine ID: ${JSON.stringify(id)}`, {
      hint: 'A machine ID is what systemd-machine-id-setup writes to /etc/machine-id: 32 hex digits.',
    });
  }
  return id as MachineId;
}

/** The first 8 characters of a machine's ID: what people see, and what `MachineID=` accepts as well. */
export function shortMachineId(id: MachineId): string {
  return id.slice(0, shortIdLength);
}
