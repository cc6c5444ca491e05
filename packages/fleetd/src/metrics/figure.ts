import type { Sample, Tally, TimeSample, TimeTally } from './tally.js';

/** One metric with all its values. Names are without the prefix of their program, if they have one. */
export type Figure = NumberFigure | TimeFigure;

export interface NumberFigure {
  readonly kind: 'counter' | 'gauge';
  readonly name: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface TimeFigure {
  readonly kind: 'histogram';
  readonly name: string;
  readonly help: string;
  readonly samples: readonly TimeSample[];
}

/** A counter, by its full name. */
export function counter(name: string, help: string, tally: Tally): Figure {
  return { kind: 'counter', name, help, samples: tally.samples };
}

/** A gauge, by its full name: one number, or several with their labels. */
export function gauge(name: string, help: string, value: number | readonly Sample[]): Figure {
  return { kind: 'gauge', name, help, samples: typeof value === 'number' ? [{ labels: {}, value }] : value };
}

/** A histogram of durations, by its full name. */
export function times(name: string, help: string, tally: TimeTally): Figure {
  return { kind: 'histogram', name, help, samples: tally.samples };
}
