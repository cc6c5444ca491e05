import { findLabOwner } from '../lab/index.js';

/** There is one demo on a machine at a time. */
export const demoLab = 'demo';

/** Says so if a demo is running already. */
export async function findRunningDemo(): Promise<string | undefined> {
  const pid = await findLabOwner(demoLab);
  return pid === undefined ? undefined : `A demo is running already, as process ${pid}. End that one first.`;
}
