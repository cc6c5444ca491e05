import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { hashUnitFile, parseUnitFile, parseUnitName, type UnitName } from '@flotilla/unit';
import type { UnitFileToLoad, UnitManager, UnitStatus } from './unit-manager.js';

/** A unit manager under test, and the time that it lives in. */
export interface UnitManagerUnderTest {
  readonly manager: UnitManager;
  /** Lets `ms` pass. */
  advance(ms: number): Promise<void>;
  /** Where {@link addHostUnit} puts files: a directory that systemd prefers to where the agent's links are. */
  readonly hostUnitsDirectory: string;
  /** Gives the host a running unit of its own; `close` takes it away. */
  addHostUnit(unit: UnitFileToLoad): Promise<void>;
  /** Stops and removes what the tests have left behind. */
  close(): Promise<void>;
}

const encoder = new TextEncoder();
const unit = (name: string) => parseUnitName(`contract-${name}`);
const file = (name: UnitName, text: string) => ({ name, content: encoder.encode(text) });
const sleeper = '[Service]\nExecStart=/bin/sleep 1000\n';

/** A look at most every so often, for at most this long, until a state is reached. */
const lookMs = 50;
const deadlineMs = 15_000;

/** Longer than any pause between two looks at systemd. */
const quietMs = 3000;

/** What every unit manager must do. Unit names begin with `contract-`. */
export function unitManagerContract(title: string, open: () => Promise<UnitManagerUnderTest>): void {
  describe(`unit manager contract: ${title}`, () => {
    let host: UnitManagerUnderTest;
    let manager: UnitManager;
    const used = new Set<UnitName>();

    beforeEach(async () => {
      host = await open();
      manager = host.manager;
    });

    afterEach(async () => {
      const names = [...used];
      used.clear();
      await manager.stop(names);
      await untilAll(names, (status) => status.active === 'inactive' || status.active === 'failed');
      await manager.unload(names);
      await host.close();
    });

    const load = async (name: UnitName, text = sleeper) => {
      used.add(name);
      return await manager.load([file(name, text)]);
    };
    const statusOf = async (name: UnitName) => {
      const status = (await manager.listUnits([name])).get(name);
      assert.ok(status);
      return status;
    };
    const untilAll = async (names: readonly UnitName[], accept: (status: UnitStatus) => boolean) => {
      for (let waitedMs = 0; ; waitedMs += lookMs) {
        const statuses = await manager.listUnits(names);
        if ([...statuses.values()].every(accept)) return;
        assert.ok(waitedMs < deadlineMs, `still ${JSON.stringify([...statuses])}`);
        await host.advance(lookMs);
      }
    };
    const untilActive = (name: UnitName, active: string) =>
      untilAll([name], (status) => status.active === active && status.job === undefined);

    it('has a loaded file on disk with its hash, and systemd knows it', async () => {
      const name = unit('a.service');
      assert.equal((await load(name)).size, 0);
      const sha256 = createHash('sha256').update(sleeper).digest('hex');
      const here = (await manager.listFiles()).get(name);
      const absent = unit('absent.service');
      const contents = await manager.readFiles([name, absent]);
      assert.deepEqual(
        [...contents].map(([of, content]) => [of, Buffer.from(content).toString()]),
        [[name, sleeper]],
      );
      assert.deepEqual([here?.hash, here?.sha256], [hashUnitFile(parseUnitFile(sleeper)), sha256]);
      assert.deepEqual(await statusOf(name), { load: 'loaded', active: 'inactive', sub: 'dead', job: undefined });
    });

    it('says not-found of a unit that nobody has heard of', async () => {
      assert.equal((await statusOf(unit('unheard-of.service'))).load, 'not-found');
    });

    it('starts, restarts and stops', async () => {
      const name = unit('cycle.service');
      await load(name);
      assert.equal((await manager.start([name])).size, 0);
      await untilActive(name, 'active');
      assert.equal((await statusOf(name)).sub, 'running');
      assert.equal((await manager.restart([name])).size, 0);
      await untilActive(name, 'active');
      assert.equal((await manager.stop([name])).size, 0);
      await untilActive(name, 'inactive');
    });

    it('takes instances and escaped names as they are', async () => {
      const names = [unit('t@1.service'), unit('t@a-b_c:d.service'), unit('esc\\x2daped.service')];
      for (const name of names) assert.equal((await load(name)).size, 0);
      assert.equal((await manager.start(names)).size, 0);
      await untilAll(names, (status) => status.active === 'active');
    });

    it('starts the others when some can not be started, and says why for each of those', async () => {
      const [good, bad, missing] = [unit('good.service'), unit('bad.service'), unit('missing.service')];
      await load(good);
      await load(bad, '[Service]\nType=simple\n');
      const failures = await manager.start([bad, good, missing]);
      assert.deepEqual([...failures.keys()].sort(), [bad, missing].sort());
      assert.match(failures.get(missing) ?? '', /not found/);
      await untilActive(good, 'active');
      assert.equal((await statusOf(bad)).load, 'bad-setting');
    });

    it('reports a unit that fails as failed, and forgets it when it is unloaded', async () => {
      const name = unit('fails.service');
      await load(name, '[Service]\nType=oneshot\nExecStart=/bin/false\n');
      await manager.start([name]);
      await untilActive(name, 'failed');
      assert.equal((await manager.unload([name])).size, 0);
      assert.equal((await manager.listFiles()).has(name), false);
      assert.equal((await statusOf(name)).load, 'not-found');
      assert.equal((await statusOf(name)).active, 'inactive');
    });

    it('says of a unit that systemd does not load from files that it failed, at the second time at the latest', async () => {
      const name = unit('made-by-programs.scope');
      await load(name, '[Unit]\nDescription=a scope\n');
      assert.equal((await load(name, '[Unit]\nDescription=a scope\n')).size, 1);
      assert.equal((await statusOf(name)).load, 'not-found');
    });

    it("leaves a unit of the host's own alone, and says where its file is", async () => {
      const [own, other] = [unit('own.service'), unit('other.service')];
      await host.addHostUnit(file(own, sleeper));
      const failures = await manager.load([file(own, '[Service]\nExecStart=/bin/true\n'), file(other, sleeper)]);
      used.add(other);
      assert.deepEqual([...failures.keys()], [own]);
      assert.ok(failures.get(own)?.endsWith(` ${host.hostUnitsDirectory}/${own}`), failures.get(own));
      assert.equal((await manager.listFiles()).has(own), false);
      for (const verb of ['start', 'restart', 'stop', 'kill'] as const)
        assert.deepEqual([...(await manager[verb]([own, other])).keys()], [own]);
      assert.equal((await manager.unload([own])).size, 0);
      assert.equal((await statusOf(own)).active, 'active');
    });

    it('does not mind to stop or unload what is not there', async () => {
      const name = unit('nothing.service');
      assert.equal((await manager.stop([name])).size, 0);
      assert.equal((await manager.unload([name])).size, 0);
      assert.equal((await manager.unload([])).size, 0);
    });

    it('runs a replaced file after the next start', async () => {
      const name = unit('replaced.service');
      await load(name, '[Service]\nType=oneshot\nExecStart=/bin/false\n');
      await manager.start([name]);
      await untilActive(name, 'failed');
      await load(name, '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n');
      await manager.start([name]);
      await untilActive(name, 'active');
      assert.equal((await statusOf(name)).sub, 'exited');
    });

    it('replaces the file of a running unit without touching the unit', async () => {
      const name = unit('commented.service');
      await load(name);
      await manager.start([name]);
      await untilActive(name, 'active');
      await load(name, `# a comment\n${sleeper}`);
      const { load: state, active } = await statusOf(name);
      assert.deepEqual([state, active], ['loaded', 'active']);
    });

    it('loads a file with an [Install] section', async () => {
      const name = unit('installed.service');
      assert.equal((await load(name, `${sleeper}[Install]\nWantedBy=multi-user.target\n`)).size, 0);
      assert.equal((await statusOf(name)).load, 'loaded');
      assert.equal((await manager.unload([name])).size, 0);
      assert.equal((await statusOf(name)).load, 'not-found');
    });

    it('shows a slow stop as deactivating, and does not wait for it', async () => {
      const [slow, other] = [unit('slow.service'), unit('quick.service')];
      await load(slow, '[Service]\nExecStart=/bin/sleep 1000\nExecStop=/bin/sleep 2\n');
      await load(other);
      await manager.start([slow, other]);
      await untilAll([slow, other], (status) => status.active === 'active');
      await manager.stop([slow, other]);
      await untilActive(other, 'inactive');
      const status = await statusOf(slow);
      assert.equal(status.active, 'deactivating');
      assert.equal(status.job, 'stop');
      await untilActive(slow, 'inactive');
    });

    it('kills what does not end when it is stopped, and minds no unit that is gone', async () => {
      const [stubborn, killed, gone] = [unit('stubborn.service'), unit('killed.service'), unit('gone.service')];
      await load(stubborn, '[Service]\nExecStart=/bin/sleep 1000\nExecStop=/bin/sleep 1000\n');
      await load(killed);
      await manager.start([stubborn, killed]);
      await untilAll([stubborn, killed], (status) => status.active === 'active');
      await manager.stop([stubborn]);
      await untilAll([stubborn], (status) => status.active === 'deactivating');
      assert.equal((await manager.kill([stubborn, killed, gone])).size, 0);
      await untilAll([stubborn, killed], (status) => status.active === 'failed' && status.job === undefined);
      assert.equal((await manager.kill([stubborn, killed])).size, 0);
    });

    it('is not confused by doubt', async () => {
      const name = unit('doubted.service');
      await load(name);
      await manager.start([name]);
      await untilActive(name, 'active');
      manager.doubt();
      assert.equal((await statusOf(name)).active, 'active');
    });

    it('tells when a unit has changed, and nothing while nothing happens', async () => {
      const name = unit('told.service');
      await load(name);
      await statusOf(name);
      let told = 0;
      const subscription = manager.onChange(() => told++);
      await host.advance(quietMs);
      assert.equal(told, 0);
      await manager.start([name]);
      for (let waitedMs = 0; told === 0 && waitedMs < deadlineMs; waitedMs += lookMs) await host.advance(lookMs);
      assert.ok(told > 0);
      subscription.close();
      const toldBefore = told;
      await manager.stop([name]);
      await untilActive(name, 'inactive');
      assert.equal(told, toldBefore);
    });
  });
}
