import type { Client } from '@flotilla/client';
import { isUnitName, type UnitName, unitNameParts } from '@flotilla/unit';
import { matchesArgument, type UnitArgument } from './unit-arguments.js';

/** A unit that a command is about. */
export interface ChosenUnit {
  readonly name: UnitName;
  /** Where its file would be, if it was named. */
  readonly path: string;
  /** It was not named but matched: what does not apply to it is no error. */
  readonly isMatched: boolean;
}

/** The units that a command is about, in the order of its arguments, each once. */
export interface Selection {
  readonly units: readonly ChosenUnit[];
  /** Patterns that match nothing. */
  readonly unmatched: readonly string[];
}

/** Looks patterns up among the registered units; without a pattern nothing is read. */
export async function selectUnits(
  client: Client,
  units: readonly UnitArgument[],
  { withTemplates = false } = {},
): Promise<Selection> {
  const matched = new Map<UnitArgument, ChosenUnit[]>();
  for (const unit of units) if (unit.kind === 'pattern') matched.set(unit, []);
  if (matched.size > 0)
    for await (const page of client.unitPages())
      for (const { name } of page)
        for (const [pattern, found] of matched)
          if (matchesArgument(pattern, name)) found.push(...chosen(name, withTemplates));
  const byName = new Map<string, ChosenUnit>();
  for (const unit of units) {
    const found = unit.kind === 'name' ? [{ ...unit, isMatched: false }] : (matched.get(unit) ?? []);
    for (const { name, path, isMatched } of found) if (!byName.has(name)) byName.set(name, { name, path, isMatched });
  }
  const unmatched = [...matched].filter(([, found]) => found.length === 0);
  return {
    units: [...byName.values()],
    unmatched: unmatched.flatMap(([unit]) => (unit.kind === 'pattern' ? [unit.pattern] : [])),
  };
}

function chosen(name: string, withTemplates: boolean): ChosenUnit[] {
  if (!isUnitName(name)) return [];
  return withTemplates || !unitNameParts(name).isTemplate ? [{ name, path: name, isMatched: true }] : [];
}
