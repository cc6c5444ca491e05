import { type MetadataTest, passesMetadataTest, type Requirements } from '@flotilla/unit';
import type { Machine } from './cluster-model.js';

type Metadata = Machine['metadata'];

/**
 * What a machine's metadata comes to: its own, with what was set for it through the API laid over it.
 *
 * @param overrides By key; an empty value hides the key.
 */
export function effectiveMetadata(own: Metadata, overrides: ReadonlyMap<string, string>): Metadata {
  const effective = new Map(own);
  for (const [key, value] of overrides) {
    if (value === '') effective.delete(key);
    else effective.set(key, value);
  }
  return effective;
}

/** Whether a machine's metadata passes `test`. */
export function passesTest(metadata: Metadata, test: MetadataTest): boolean {
  return passesMetadataTest(metadata.get(test.key), test);
}

/** Whether a machine's metadata is all that `MachineMetadata=` asks for. */
export function matchesMetadata(metadata: Metadata, asked: Pick<Requirements, 'metadata' | 'metadataTests'>): boolean {
  for (const [key, accepted] of asked.metadata) if (!isAccepted(metadata.get(key), accepted)) return false;
  return asked.metadataTests.every((test) => passesTest(metadata, test));
}

/** Whether a value is one of those that are accepted. */
export function isAccepted(value: string | undefined, accepted: readonly string[]): boolean {
  return value !== undefined && accepted.includes(value);
}

/** A test as `[X-Fleet]` spells it: `disk!=hdd`, `cores>=8`, `!spot`. */
export function spellTest(test: MetadataTest): string {
  switch (test.op) {
    case 'has':
      return test.key;
    case 'lacks':
      return `!${test.key}`;
    default:
      return `${test.key}${test.op}${test.value}`;
  }
}
