// Gets a clone ready and builds it, or says why not and ends.
import { build, prepare, SetupError } from './prepare.mjs';

/** `check` may throw a SetupError before anything is done. What the machine lacks is told, or, if it is needed, ends it. */
export async function makeReady({ check = () => {}, needsAll = false } = {}) {
  try {
    await check();
    const missing = prepare();
    if (missing !== undefined && needsAll) throw new SetupError(missing);
    if (missing !== undefined) console.log(missing);
    build();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}
