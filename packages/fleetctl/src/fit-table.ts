import type { ExplanationEntity, MachineFitEntity, MisfitEntity } from '@flotilla/schema';
import { formatTable, type TableCell } from './aligned-table.js';
import type { Palette } from './terminal.js';

/** What {@link formatFitTable} needs besides the explanation. */
export interface FitTableOptions {
  /** What a machine is called. */
  readonly label: (id: string) => string;
  readonly palette: Palette;
  /** Each machine on its own, however many there are. */
  readonly isFull: boolean;
}

/** So many machines are still shown one by one, and so many kinds of them when they are counted. Taste: a screenful. */
const mostSingles = 12;
const mostKinds = 20;

/** The rules in the order in which they are looked at; those of a newer fleetd stand before the machine's own. */
const optionRules = ['MachineID', 'MachineMetadata', 'MachineOf', 'Conflicts'];
const machineRules = ['open', 'room'];

/** Machines that are alike but for their units and what is preferred of them. */
interface Kind {
  readonly fit: string;
  readonly verdicts: readonly string[];
  readonly machines: MachineFitEntity[];
}

/** The machines of an explanation with a verdict per rule: the unit's own one first, then the best, then the others. */
export function formatFitTable(explanation: ExplanationEntity, options: FitTableOptions): string {
  const { machines = [] } = explanation;
  if (machines.length === 0) return '';
  const rules = rulesOf(explanation);
  const areSingle = options.isFull || machines.length <= mostSingles;
  const kinds = [...machines]
    .sort(compareMachines)
    .reduce(areSingle ? addSingle : addToKind, new Map<string, Kind>())
    .values();
  const shown = [...kinds].slice(0, options.isFull ? undefined : mostKinds);
  const hasPreferences = machines.some(({ preference }) => preference !== undefined);
  const legend = ['MACHINE', 'UNITS', ...(hasPreferences ? ['PREFERENCE'] : []), 'FIT', ...rules.map(nameOfRule)];
  const rows = shown.map((kind) => rowOf(kind, { ...options, hasPreferences }));
  return formatTable([legend.map((text) => ({ text })), ...rows]) + rest(shown, machines.length);

  function addSingle(known: Map<string, Kind>, machine: MachineFitEntity): Map<string, Kind> {
    return known.set(machine.id, kindOf(machine));
  }

  function addToKind(known: Map<string, Kind>, machine: MachineFitEntity): Map<string, Kind> {
    const kind = kindOf(machine);
    const key = JSON.stringify([kind.fit, kind.verdicts]);
    const alike = known.get(key);
    alike?.machines.push(machine);
    return alike === undefined ? known.set(key, kind) : known;
  }

  function kindOf(machine: MachineFitEntity): Kind {
    return { fit: fitOf(machine), verdicts: rules.map((rule) => verdictOf(machine, rule)), machines: [machine] };
  }
}

/** The rules that there is something to say about: what the unit asks for, what rules machines out, the machines' own. */
function rulesOf({ requirements = [], machines = [] }: ExplanationEntity): string[] {
  const asked = new Set(requirements.map((line) => line.slice(0, line.indexOf('='))));
  const broken = new Set(machines.flatMap(({ misfits = [] }) => misfits.map(({ rule }) => rule)));
  const known = optionRules.filter((rule) => asked.has(rule) || broken.has(rule));
  const others = [...broken].filter((rule) => !optionRules.includes(rule) && !machineRules.includes(rule)).sort();
  return [...known, ...others, ...(asked.has('Global') ? [] : machineRules)];
}

function nameOfRule(rule: string): string {
  return machineRules.includes(rule) ? rule.toUpperCase() : rule;
}

function fitOf({ here, misfits = [], rank }: MachineFitEntity): string {
  if (here === true) return 'here';
  if (misfits.length > 0) return 'no';
  return rank === 1 ? 'first choice' : 'yes';
}

function verdictOf({ misfits = [] }: MachineFitEntity, rule: string): string {
  const broken = misfits.filter((misfit: MisfitEntity) => misfit.rule === rule);
  return broken.map(shortText).join('\n') || 'ok';
}

/** What a conflict is about goes without saying in a column of conflicts. */
function shortText({ key, text }: MisfitEntity): string {
  const [, other] = /^conflict:(.+)$/.exec(key) ?? [];
  return other === undefined ? text : `has ${other}`;
}

function compareMachines(a: MachineFitEntity, b: MachineFitEntity): number {
  const here = Number(b.here === true) - Number(a.here === true);
  const misfits = (a.misfits?.length ?? 0) - (b.misfits?.length ?? 0);
  const rank = (a.rank ?? 0) - (b.rank ?? 0);
  return here || misfits || rank || (a.id < b.id ? -1 : 1);
}

interface RowOptions extends FitTableOptions {
  readonly hasPreferences: boolean;
}

function rowOf({ fit, verdicts, machines }: Kind, { label, palette, hasPreferences }: RowOptions): TableCell[] {
  const [first, ...others] = machines;
  const paints = { here: palette.good, 'first choice': palette.good, no: palette.bad };
  const paint = Object.entries(paints).find(([word]) => word === fit)?.[1];
  return [
    { text: others.length === 0 ? label(first?.id ?? '') : `${machines.length} machines` },
    { text: unitsOf(machines) },
    ...(hasPreferences ? [{ text: rangeOf(machines.map(({ preference = 0 }) => preference)) }] : []),
    { text: fit, ...(paint && { paint }) },
    ...verdicts.map((text) => (text === 'ok' ? { text } : { text, paint: palette.bad })),
  ];
}

function unitsOf(machines: readonly MachineFitEntity[]): string {
  const limits = new Set(machines.map(({ maxUnits }) => maxUnits));
  const [limit] = limits.size === 1 ? limits : [];
  const units = rangeOf(machines.map(({ load }) => load));
  return limit === undefined ? units : `${units} of ${limit}`;
}

function rangeOf(numbers: readonly number[]): string {
  const least = Math.min(...numbers);
  const most = Math.max(...numbers);
  return least === most ? `${least}` : `${least} to ${most}`;
}

function rest(shown: readonly Kind[], total: number): string {
  const told = shown.reduce((sum, { machines }) => sum + machines.length, 0);
  if (told < total) return `and ${total - told} more machines; --full shows each\n`;
  return shown.length < total ? 'Machines that are alike are counted; --full shows each.\n' : '';
}
