// npm run demo [-- --once]: gets ready, builds, and hands over to test/demo.
import './node-version.mjs';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { SetupError } from './prepare.mjs';
import { makeReady } from './ready.mjs';

async function check() {
  if (process.platform !== 'linux' || process.getuid() !== 0) {
    throw new SetupError('the demo boots three hosts with systemd, which needs Linux and root: sudo npm run demo');
  }
  // What an earlier build left can tell of a demo that uses it: nothing is to be rebuilt under its feet.
  const running = join(root, 'test/dist/demo/running.js');
  const refusal = existsSync(running) ? await (await import(running)).findRunningDemo() : undefined;
  if (refusal !== undefined) throw new SetupError(refusal);
}

await makeReady({ check, needsAll: true });
await import(join(root, 'test/dist/demo/main.js'));
