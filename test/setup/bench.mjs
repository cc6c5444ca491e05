// npm run bench [-- NAME...]: gets ready, builds, and hands over to test/bench.
import './node-version.mjs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { makeReady } from './ready.mjs';

await makeReady();
await import(join(root, 'test/dist/bench/main.js'));
