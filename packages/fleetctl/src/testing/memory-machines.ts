import type {
  AlarmEntity,
  LossEntity,
  MachineEntity,
  MachinePage,
  UnfreezeEffectEntity,
  UnfreezeRequest,
} from '@flotilla/schema';
import { MemorySettings } from './memory-settings.js';

/** A frozen machine. */
export interface FrozenState {
  readonly why: string;
  readonly effects: readonly UnfreezeEffectEntity[];
  /** Looks at the machines until it goes on after it was told to; without it, it never does. */
  readonly delay?: number;
  /** What is left of that. */
  readsLeft?: number | undefined;
  /** It has yet to say what it has. */
  readonly isSilent?: boolean;
}

export const machines: readonly MachineEntity[] = [
  { id: '1111111111111111aaaaaaaaaaaaaaaa', primaryIP: '10.0.0.1', metadata: { role: 'db', disk: 'ssd' } },
  { id: '2222222222222222bbbbbbbbbbbbbbbb', primaryIP: '10.0.0.2' },
  { id: '3333333333333333cccccccccccccccc' },
];

/** The machines of an API in memory, and what becomes of those that are frozen or gone. */
export class MemoryMachines {
  /** What the API refuses to put, delete or release, and how. */
  readonly refusals = new Map<string, readonly [code: number, message: string]>();
  /** What is to be seen to at etcd. */
  alarms: readonly AlarmEntity[] = [];
  /** Machines that are gone. */
  losses: readonly LossEntity[] = [];
  /** By machine ID. */
  readonly frozen = new Map<string, FrozenState>();
  readonly settings = new MemorySettings(machines);
  /** What machines were told, like `adopt 1111...`. */
  readonly orders: string[] = [];

  protected machinePage(): MachinePage {
    for (const { id } of machines) {
      const frozen = this.frozen.get(id);
      if (frozen?.readsLeft !== undefined && frozen.readsLeft-- <= 0) this.frozen.delete(id);
    }
    const withReason = machines.map((machine) => {
      const frozen = this.frozen.get(machine.id)?.why;
      return { ...(frozen !== undefined && { frozen }), ...this.settings.describe(machine) };
    });
    return {
      ...(this.alarms.length > 0 && { alarms: this.alarms }),
      ...(this.losses.length > 0 && { losses: this.losses }),
      machines: withReason,
    };
  }

  protected unfreeze(machineID: string, url: URL, { how }: UnfreezeRequest): [number, object?] {
    const frozen = this.frozen.get(machineID);
    if (frozen === undefined) return refusal(409, 'machine is not frozen');
    if (frozen.isSilent === true) return refusal(503, 'machine has yet to look at what it has: try again');
    const answer = { frozen: frozen.why, how, machineID };
    if (url.searchParams.get('dryRun') === 'true') return [200, { ...answer, units: frozen.effects }];
    this.orders.push(`${how} ${machineID}`);
    frozen.readsLeft = frozen.delay;
    return [202, answer];
  }

  protected release(machineID: string): [number, object?] {
    const refused = this.refusals.get(machineID);
    if (refused !== undefined) return refusal(...refused);
    this.orders.push(`release ${machineID}`);
    return [204];
  }
}

/** An error as the API answers it. */
export function refusal(code: number, message: string): [number, object] {
  return [code, { error: { code, message } }];
}
