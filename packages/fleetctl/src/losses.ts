import type { LossEntity } from '@flotilla/schema';
import { machineLabel } from './machine-label.js';

/** So many machines are named in a line; more are in the JSON. */
const mostNamed = 8;

/** How many units, in words. */
export function countUnits(units: number): string {
  return units === 1 ? '1 unit' : `${units} units`;
}

/** How many machines, in words. */
export function countMachines(machines: number): string {
  return machines === 1 ? '1 machine' : `${machines} machines`;
}

/** Which machines are gone and keep their units for now, and what to do: a line for each reason. */
export function describeLosses(losses: readonly LossEntity[]): string[] {
  const inState = (state: LossEntity['state']) => losses.filter((loss) => loss.state === state);
  return [
    ...describe(inState('brake'), (gone, units) => [
      `Too many machines are gone at once, so nothing is moved: ${gone}, with ${units}`,
      'It ends when enough are back; `fleetctl machine release` takes them for lost before.',
    ]),
    ...describe(inState('grace'), (gone, units) => [`Gone a moment ago, and waited for: ${gone}, with ${units}`]),
    ...describe(inState('rate'), (gone, units) => [
      `Lost, and moved one machine after the other: ${gone}, with ${units}`,
      '`fleetctl machine release` moves them at once.',
    ]),
  ];
}

function describe(
  losses: readonly LossEntity[],
  say: (gone: string, units: string) => readonly string[],
): readonly string[] {
  if (losses.length === 0) return [];
  const labels = losses.slice(0, mostNamed).map(({ machineID, ...loss }) => machineLabel({ id: machineID, ...loss }));
  const rest = losses.length > mostNamed ? [`${losses.length - mostNamed} more`] : [];
  return say([...labels, ...rest].join(' '), countUnits(losses.reduce((sum, { units }) => sum + units, 0)));
}
