// npm run chaos -- --minutes N [--seed S]: gets ready, builds, and hands over to test/chaos.
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
await import(join(root, 'test/dist/chaos/main.js'));
