import {
  explain,
  explainMisfit,
  type MachineExplanation,
  type Misfit,
  misfitKey,
  ruleOf,
  type UnitExplanation,
} from '@flotilla/cluster';
import type { ExplanationEntity, MachineFitEntity, MisfitEntity } from './entities.js';

/** The explanation as JSON has it. */
export function toExplanationEntity(unit: UnitExplanation): ExplanationEntity {
  return {
    ...(unit.desiredState === undefined ? {} : { desiredState: unit.desiredState }),
    ...(unit.isHeldBack ? { heldBack: true } : {}),
    ...(unit.leaving.length === 0 ? {} : { leaving: unit.leaving }),
    ...(unit.placement === undefined ? {} : { machineID: unit.placement }),
    ...(unit.machines.length === 0 ? {} : { machines: unit.machines.map(toMachineFitEntity) }),
    name: unit.unit,
    ...(unit.reason === undefined ? {} : { reason: explain(unit.reason) }),
    ...(unit.requirements.length === 0 ? {} : { requirements: unit.requirements }),
    standing: unit.standing,
    strategy: unit.strategy,
    ...(unit.waitingSince === undefined ? {} : { waitingSince: unit.waitingSince }),
  };
}

function toMachineFitEntity(machine: MachineExplanation): MachineFitEntity {
  return {
    ...(machine.isHere ? { here: true } : {}),
    id: machine.machine,
    load: machine.load,
    ...(machine.maxUnits === undefined ? {} : { maxUnits: machine.maxUnits }),
    ...(machine.misfits.length === 0 ? {} : { misfits: machine.misfits.map(toMisfitEntity) }),
    ...(machine.preference === undefined ? {} : { preference: machine.preference }),
    ...(machine.rank === undefined ? {} : { rank: machine.rank }),
  };
}

function toMisfitEntity(misfit: Misfit): MisfitEntity {
  return { key: misfitKey(misfit), rule: ruleOf(misfit), text: explainMisfit(misfit) };
}
