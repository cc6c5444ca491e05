import type { MachineSurvey } from '@flotilla/client';
import type { UnitEntity, UnitStateEntity } from '@flotilla/schema';
import type { Context } from './context.js';
import { exitCodes } from './exit-codes.js';
import { machineLabel } from './machine-label.js';
import { isWaiting } from './status-text.js';
import { formatStructured, type StructuredForm } from './structured.js';

interface ShowClusterOptions {
  readonly isFull: boolean;
  readonly output: StructuredForm | undefined;
}

/** How the whole cluster fares; what JSON shows. */
interface ClusterStatus {
  readonly machines: { readonly alive: number; readonly frozen: number; readonly gone: number };
  /** By what was asked of them. */
  readonly units: Readonly<Record<UnitEntity['desiredState'], number>>;
  /** What systemd calls failed, and what a machine could not do. */
  readonly troubles: readonly UnitStateEntity[];
  readonly waiting: readonly Pick<UnitEntity, 'name' | 'reason'>[];
}

/** More are counted. Taste: it is to fit a screen. */
const mostNamed = 10;

/** Shows how the cluster fares: counts, and what is not well. Takes the lists of units, states and machines. */
export async function showCluster(
  { client, screen }: Context,
  { isFull, output }: ShowClusterOptions,
): Promise<number> {
  const [survey, units, states] = await Promise.all([client.surveyMachines(), client.listUnits(), client.listStates()]);
  const status = summarise(survey, units, states);
  const addresses = new Map(survey.machines.map((machine) => [machine.id, machine]));
  const label = (id: string) => machineLabel(addresses.get(id) ?? { id }, isFull);
  screen.write(output === undefined ? clusterText(status, label) : await formatStructured(status, output));
  return exitCodes.done;
}

function summarise(
  { machines, losses }: MachineSurvey,
  units: readonly UnitEntity[],
  states: readonly UnitStateEntity[],
): ClusterStatus {
  const stateByName = new Map(states.map((state) => [state.name, state]));
  const statesOf = ({ name }: UnitEntity) => [stateByName.get(name) ?? []].flat();
  const count = (state: UnitEntity['desiredState']) => units.filter((unit) => unit.desiredState === state).length;
  return {
    machines: {
      alive: machines.length,
      frozen: machines.filter(({ frozen }) => frozen !== undefined).length,
      gone: losses.length,
    },
    units: { launched: count('launched'), loaded: count('loaded'), inactive: count('inactive') },
    troubles: states.filter(({ systemdActiveState, error }) => systemdActiveState === 'failed' || error !== undefined),
    waiting: units
      .filter((unit) => isWaiting({ unit, states: statesOf(unit) }))
      .map(({ name, reason }) => ({ name, ...(reason !== undefined && { reason }) })),
  };
}

function clusterText({ machines, units, troubles, waiting }: ClusterStatus, label: (id: string) => string): string {
  const inTrouble = troubles.map(({ name, machineID, systemdActiveState, error }) => {
    const what = error === undefined ? systemdActiveState : `${systemdActiveState}: ${error}`;
    return `${name} on ${label(machineID)}: ${what}`;
  });
  const lines = [
    `Machines: ${machines.alive} alive, ${machines.frozen} frozen, ${machines.gone} gone`,
    `   Units: ${units.launched} launched, ${units.loaded} loaded, ${units.inactive} inactive`,
    ...named('  Failed', inTrouble),
    ...named(
      '   Waits',
      waiting.map(({ name, reason }) => `${name}: ${reason ?? 'no machine has been chosen yet'}`),
    ),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function named(word: string, texts: readonly string[]): string[] {
  const more = texts.length - mostNamed;
  return [...texts.slice(0, mostNamed), ...(more > 0 ? [`and ${more} more`] : [])].map((text) => `${word}: ${text}`);
}
