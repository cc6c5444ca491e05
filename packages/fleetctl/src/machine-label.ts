import { type Client, isTransient } from '@flotilla/client';
import type { MachineEntity } from '@flotilla/schema';

const shortIdLength = 8;

/** The ID, or its first 8 characters and dots. */
export function machineIdLabel(id: string, isFull = false): string {
  return isFull ? id : `${id.slice(0, shortIdLength)}...`;
}

/** The ID as in {@link machineIdLabel}, and the address if it is known. */
export function machineLabel(machine: Pick<MachineEntity, 'id' | 'primaryIP'>, isFull = false): string {
  const id = machineIdLabel(machine.id, isFull);
  return machine.primaryIP ? `${id}/${machine.primaryIP}` : id;
}

/** The machines that `text` may mean: an ID, the beginning of one, or either with the dots of {@link machineIdLabel}. */
export function findMachines<M extends { readonly id: string }>(machines: readonly M[], text: string): M[] {
  const start = text.replace(/\.\.\.$/, '').toLowerCase();
  const whole = machines.find(({ id }) => id === start);
  if (start === '') return [];
  return whole === undefined ? machines.filter(({ id }) => id.startsWith(start)) : [whole];
}

/** What machines are called, from one look at their list. A machine that is not in it has no address. */
export async function readLabels(client: Client, isFull: boolean): Promise<(id: string) => string> {
  const machines = new Map<string, MachineEntity>();
  for (const machine of await client.listMachines()) machines.set(machine.id, machine);
  return (id) => machineLabel(machines.get(id) ?? { id }, isFull);
}

/** Knows the machines' addresses: reads the list when a machine is named that it has not seen, once for each. */
export class MachineDirectory {
  readonly #client: Client;
  readonly #machines = new Map<string, MachineEntity>();
  readonly #askedFor = new Set<string>();
  #prefetch: Promise<void> | undefined;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Reads the list while there is something else to do: the first label is there at once. */
  prefetch(): void {
    this.#prefetch ??= this.#readList();
    // Whoever asks for a label is told; if nobody does, it does not matter.
    this.#prefetch.catch(() => undefined);
  }

  /** A label for messages; without an address if the list has none. */
  async label(id: string): Promise<string> {
    await this.#prefetch;
    if (!this.#machines.has(id) && !this.#askedFor.has(id)) {
      this.#askedFor.add(id);
      await this.#readList();
    }
    return machineLabel(this.#machines.get(id) ?? { id });
  }

  async #readList(): Promise<void> {
    try {
      for (const machine of await this.#client.listMachines()) this.#machines.set(machine.id, machine);
    } catch (error) {
      // An address is an extra: a message about a unit does not wait for it.
      if (!isTransient(error)) throw error;
    }
  }
}
