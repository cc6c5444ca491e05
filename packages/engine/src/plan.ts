import type { MachineId, Misfit, WaitReason } from '@flotilla/cluster';
import type { UnitName } from '@flotilla/unit';

/** One change to what runs where. */
export type Decision =
  | { readonly kind: 'schedule'; readonly unit: UnitName; readonly machine: MachineId }
  | {
      readonly kind: 'unschedule';
      readonly unit: UnitName;
      readonly machine: MachineId;
      readonly why: UnscheduleReason;
    };

/** Why a unit is taken off its machine. */
export type UnscheduleReason =
  | { readonly kind: 'destroyed' }
  | { readonly kind: 'inactive' }
  | { readonly kind: 'template' }
  | { readonly kind: 'global' }
  | { readonly kind: 'machine-lost' }
  | { readonly kind: 'misfit'; readonly misfits: readonly Misfit[] }
  | { readonly kind: 'replaced'; readonly by: UnitName };

/** What {@link schedule} decided. */
export interface Plan {
  /** In the order they must be applied: unschedule before schedule, each in name order. */
  readonly decisions: readonly Decision[];
  /** Each wanted unit of {@link lookedAt} that is left without a machine, and why; in name order. */
  readonly blocked: ReadonlyMap<UnitName, WaitReason>;
  /** Each wanted global unit of {@link lookedAt} that no machine runs, and why; in name order. */
  readonly idleGlobals: ReadonlyMap<UnitName, WaitReason>;
  /** The units that were to be decided about, and those that what was decided concerns. */
  readonly lookedAt: ReadonlySet<UnitName>;
}
