import { isComparison, isUpperBound, type NumberTest, passesMetadataTest, readMetadataTest } from './metadata-test.js';
import { type RequirementItem, type RequirementsSource, refuse } from './requirement-items.js';
import { type MetadataTest, noRequirements, type Requirements } from './unit-model.js';

/** A test, and the item that says so. */
interface SaidTest<Test extends MetadataTest = MetadataTest> {
  readonly test: Test;
  readonly item: RequirementItem;
  /** Counted through the unit. */
  readonly position: number;
}

/** What `MachineMetadata=` asks for. Throws for what is no test, and for tests that no machine passes together. */
export function metadataRequirements(
  input: RequirementsSource,
  items: readonly RequirementItem[],
): Pick<Requirements, 'metadata' | 'metadataTests'> {
  const { metadata: nothing, metadataTests: noTests } = noRequirements;
  if (items.length === 0) return { metadata: nothing, metadataTests: noTests };
  const accepted = new Map<string, Set<string>>();
  const metadataTests: MetadataTest[] = [];
  const said: SaidTest[] = [];
  for (const [position, item] of items.entries()) {
    const test = readTest(input, item, item.text);
    if (test === undefined) continue;
    said.push({ test, item, position });
    if (test.op !== '=') metadataTests.push(test);
    else accepted.set(test.key, (accepted.get(test.key) ?? new Set()).add(test.value));
  }
  if (metadataTests.length > 0) checkTogether(input, said);
  return { metadata: new Map([...accepted].map(([key, values]) => [key, [...values]])), metadataTests };
}

/** The test that `text` is; `undefined` if it will be one when the instance is known. */
export function readTest(input: RequirementsSource, item: RequirementItem, text: string): MetadataTest | undefined {
  const reading = readMetadataTest(text);
  if ('test' in reading) return reading.test;
  return item.isOpen ? undefined : refuse(input, item, reading.problem);
}

function checkTogether(input: RequirementsSource, said: readonly SaidTest[]): void {
  const byKey = new Map<string, SaidTest[]>();
  for (const each of said) {
    const known = byKey.get(each.test.key);
    if (known === undefined) byKey.set(each.test.key, [each]);
    else known.push(each);
  }
  for (const tests of byKey.values()) {
    // Nothing is said of a template's values that name the instance.
    const pair = tests.some(({ item }) => item.isOpen) ? undefined : findContradiction(tests);
    if (pair === undefined) continue;
    const [earlier, later] = pair[0].position < pair[1].position ? pair : [pair[1], pair[0]];
    const both = `"${earlier.item.text}" and "${later.item.text}"`;
    refuse(input, later.item, `can't be fulfilled: no machine passes both ${both}`);
  }
}

/** Two of the tests of one key that exclude each other. */
function findContradiction(tests: readonly SaidTest[]): readonly [SaidTest, SaidTest] | undefined {
  const lacking = tests.find(({ test }) => test.op === 'lacks');
  const present = tests.find(({ test }) => test.op === 'has' || isComparison(test));
  if (lacking !== undefined && present !== undefined) return [lacking, present];
  const bounds = tests.flatMap((said) => (isComparison(said.test) ? [{ ...said, test: said.test }] : []));
  const upper = strictest(bounds.filter(({ test }) => isUpperBound(test)));
  const lower = strictest(bounds.filter(({ test }) => !isUpperBound(test)));
  if (upper !== undefined && lower !== undefined && areApart(upper.test, lower.test)) return [upper, lower];
  const refused = new Map(tests.flatMap((said) => (said.test.op === '!=' ? [[said.test.value, said] as const] : [])));
  let pair: readonly [SaidTest, SaidTest] | undefined;
  for (const said of tests) {
    if (said.test.op !== '=') continue;
    const { value } = said.test;
    const missed = [upper, lower].find((bound) => bound !== undefined && !passesMetadataTest(value, bound.test));
    const against = lacking ?? refused.get(value) ?? missed;
    // Of several accepted values one will do.
    if (against === undefined) return undefined;
    pair = [said, against];
  }
  return pair;
}

/** The test that all others are fulfilled with. They are all of one direction. */
function strictest(bounds: readonly SaidTest<NumberTest>[]): SaidTest<NumberTest> | undefined {
  let strictest: SaidTest<NumberTest> | undefined;
  for (const bound of bounds) if (strictest === undefined || isStricter(bound.test, strictest.test)) strictest = bound;
  return strictest;
}

function isStricter(one: NumberTest, other: NumberTest): boolean {
  if (one.value === other.value) return one.op === '<' || one.op === '>';
  return one.value < other.value === isUpperBound(one);
}

/** Whether there is no number that passes both. */
function areApart(upper: NumberTest, lower: NumberTest): boolean {
  const isTouching = upper.op === '<=' && lower.op === '>=';
  return isTouching ? upper.value < lower.value : upper.value <= lower.value;
}
