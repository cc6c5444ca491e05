import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { MemoryHost, service } from './memory-host.js';

const [good, bad] = [service('good'), service('bad')];
let host: MemoryHost;
beforeEach(async () => {
  host = await MemoryHost.start();
});
afterEach(() => host.close());

describe('who counts what an agent does', () => {
  test('hears of each kind of task once, with how many units it was for', async () => {
    const record = await host.schedule(good);
    await host.untilRow(good, 'active');
    assert.deepEqual(host.counted.splice(0), ['load 1', 'start 1']);
    await host.reschedule(good, { ...record, isLeaving: true });
    await host.until(async () => (await host.findRow(good)) === undefined, 'gone');
    assert.deepEqual(host.counted, ['stop 1', 'unload 1']);
  });

  test('hears what failed', async () => {
    host.unitManager.refuse(bad, 'no');
    await host.schedule(good);
    await host.schedule(bad);
    await host.untilRow(good, 'active');
    await host.until(() => host.counted.length >= 2, 'tried');
    assert.deepEqual(host.counted.slice(0, 2), ['load 2, 1 failed', 'start 1']);
  });

  test('hears of passes, and which failed', async () => {
    await host.run(good);
    assert.ok(host.failedPasses.length > 0 && !host.failedPasses.includes(true));
    host.unitManager.listFiles = () => Promise.reject(new Error('no directory'));
    host.failedPasses.length = 0;
    await host.schedule(bad);
    await host.until(() => host.failedPasses.length > 0, 'tried');
    assert.equal(host.failedPasses[0], true);
  });
});
