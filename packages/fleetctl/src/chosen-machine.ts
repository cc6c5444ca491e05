import type { MachineEntity } from '@flotilla/schema';
import type { Context } from './context.js';
import { findMachines } from './machine-label.js';

/**
 * The machine that a command is about: named by its ID or the beginning of it; one that was never seen, by the whole ID.
 * `undefined`, and an error is printed, if it is not clear which one is meant.
 */
export async function chooseMachine({ client, screen }: Context, text: string): Promise<MachineEntity | undefined> {
  const { machines, losses } = await client.surveyMachines();
  const known = [...machines, ...losses.map(({ machineID }) => ({ id: machineID }))];
  const found: readonly MachineEntity[] = findMachines(known, text);
  const [machine = /^[0-9a-f]{32}$/.test(text) ? { id: text } : undefined] = found;
  if (machine === undefined || found.length > 1) {
    const count = found.length > 1 ? `${found.length} machines have` : 'no machine has';
    screen.err(screen.palette.bad(`Error: ${count} an ID that begins with ${text}`));
    screen.err(
      '`fleetctl list-machines` shows which there are; one that is not there has to be named by its whole ID.',
    );
    return undefined;
  }
  if (!machines.includes(machine))
    screen.err(screen.palette.waiting(`Machine ${machine.id} is not there now; this is kept until it is`));
  return machine;
}
