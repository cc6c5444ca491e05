// npm run bench [-- NAME...]: gets ready, builds, and hands over to test/bench.
import './node-version.mjs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { build, prepare, SetupError } from './prepare.mjs';

try {
  const missing = prepare();
  if (missing !== undefined) console.log(missing);
  build();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exit(1);
}
await import(join(root, 'test/dist/bench/main.js'));
