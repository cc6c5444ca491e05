import type { TestHost } from './host.js';

/** What `systemctl show` says of units that are loaded, a map of properties each; `names` may be globs. */
export async function showUnits(
  host: TestHost,
  properties: readonly string[],
  names: readonly string[],
): Promise<ReadonlyMap<string, string>[]> {
  const output = await host.mustExec(['systemctl', 'show', `--property=${properties.join()}`, '--', ...names]);
  const blocks = output.split('\n\n').filter((block) => block.trim() !== '');
  return blocks.map((block) => new Map(block.split('\n').map(keyAndValue)));
}

/** One property of one unit. */
export async function showProperty(host: TestHost, unit: string, property: string): Promise<string> {
  const [found] = await showUnits(host, [property], [unit]);
  return found?.get(property) ?? '';
}

function keyAndValue(line: string): [string, string] {
  const at = line.indexOf('=');
  return [line.slice(0, at), line.slice(at + 1)];
}
