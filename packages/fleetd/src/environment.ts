import { findNearest } from '@flotilla/unit';
import {
  type GivenOptions,
  isOptionName,
  legacyOptions,
  legacyWarning,
  type OptionName,
  type OptionValue,
  optionNames,
  variableName,
} from './options.js';

const prefix = 'FLEET_';

/**
 * The options that the environment sets: `FLEET_METADATA` and so on. Set but empty counts. Other programs may have
 * variables of that prefix too, so only what looks like a slip is warned of.
 */
export function readEnvironment(environment: Readonly<Record<string, string | undefined>>): GivenOptions {
  const values = new Map<OptionName, OptionValue>();
  const warnings: string[] = [];
  for (const [variable, text] of Object.entries(environment).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (text === undefined || !variable.startsWith(prefix)) continue;
    const name = variable.slice(prefix.length).toLowerCase();
    if (variable === variableName(name) && isOptionName(name)) values.set(name, { text, source: variable });
    else if (legacyOptions.includes(name)) warnings.push(`${variable}: ${legacyWarning(name)}`);
    else {
      const nearest = findNearest(name, optionNames);
      if (nearest !== undefined)
        warnings.push(`${variable} is no option and is ignored; did you mean ${variableName(nearest)}?`);
    }
  }
  return { values, warnings };
}
