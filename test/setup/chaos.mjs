// npm run chaos -- --minutes N [--seed S]: gets ready, builds, and hands over to test/chaos.
import './node-version.mjs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { makeReady } from './ready.mjs';

await makeReady();
await import(join(root, 'test/dist/chaos/main.js'));
