import type { MachineEntity, MachineMetadataAnswer, MachineMetadataRequest } from '@flotilla/schema';
import { chooseMachine } from './chosen-machine.js';
import type { Context } from './context.js';
import { exitCodes } from './exit-codes.js';
import { machineLabel } from './machine-label.js';
import { formatMetadata } from './metadata-cell.js';

/** What a metadata command was told. */
export interface MetadataOrder {
  /** As on the command line. */
  readonly machine: string;
  readonly request: MachineMetadataRequest;
  readonly output?: 'json' | undefined;
}

/** Changes a machine's metadata and prints what it is now. */
export async function changeMetadata(context: Context, { machine: text, request, output }: MetadataOrder) {
  const machine = await chooseMachine(context, text);
  if (machine === undefined) return exitCodes.failed;
  const answer = await context.client.changeMetadata(machine.id, request);
  if (output === 'json') context.screen.write(`${JSON.stringify(answer, null, 2)}\n`);
  else describe(context, machine, answer);
  return exitCodes.done;
}

function describe({ screen }: Context, machine: MachineEntity, { hidden = [], metadata }: MachineMetadataAnswer): void {
  if (metadata !== undefined) screen.out(`Machine ${machineLabel(machine)} has ${formatMetadata(metadata)}`);
  if (hidden.length === 0) return;
  const why =
    metadata === undefined
      ? `${hidden.join(', ')} will be hidden if the machine's own configuration has it`
      : `${hidden.join(', ')} is in the machine's own configuration, and hidden now`;
  screen.err(
    `${why}; to bring it back: fleetctl machine metadata unset --reset ${machine.id.slice(0, 8)} ${hidden.join(' ')}`,
  );
}
