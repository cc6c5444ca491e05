import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { version } from '@flotilla/errors';
import { labObstacle, showUnits, type TestHost } from '../lab/index.js';
import { FleetSuite, linesOf } from './fleet-suite.js';
import { see } from './on-host.js';

describe('fleet’s functional tests of its client, on one machine', { skip: labObstacle() }, () => {
  let suite: FleetSuite;
  let host: TestHost;

  before(async () => {
    suite = await FleetSuite.start('fleet-client', 1);
    host = suite.host(0);
  });

  after(() => suite.close());
  afterEach(() => suite.reset(host));

  const instances = (count: number) => Array.from({ length: count }, (_, index) => `hello@${index + 1}.service`);
  const pathsOf = (names: readonly string[]) => names.map((name) => suite.unit(name));
  const must = (...args: readonly string[]) => suite.must(host, ...args);

  it('ClientVersionFlag', async () => {
    const { code, stdout } = await suite.client(['version']);
    assert.deepEqual([code, stdout], [0, `fleetctl version ${version}\n`]);
  });

  it('ClientVersionHelpOutput', async () => {
    assert.ok((await suite.client(['help'])).stdout.includes(version));
  });

  it('ClientHelpFlag', async () => {
    for (const args of [['--help'], ['-h'], ['help'], []]) {
      const { code, stdout } = await suite.client(args);
      assert.equal(code, 0, args.join());
      for (const command of ['list-units', 'start', 'destroy']) assert.match(stdout, new RegExp(`\\b${command}\\b`));
    }
  });

  it('FleetctlWithEnv', async () => {
    const environment = { FLEETCTL_ENDPOINT: suite.endpointOf(host) };
    const { code, stdout } = await suite.client(['list-machines', '--no-legend', '--full'], environment);
    assert.equal(code, 0);
    assert.equal(stdout.split(/\s/)[0], host.machineId);
  });

  it('UnitRunnable', async () => {
    await must('start', suite.unit('hello.service'));
    const active = await suite.untilActive(host, 1);
    assert.deepEqual([...active], [['hello.service', [host.machineId]]]);
    const { state, mainPid } = await see(host, 'hello.service');
    assert.equal(state, 'active/running');
    assert.notEqual(mainPid, '0');
  });

  /** What systemd says of units, each as `loaded/active`, sorted. */
  const seenOf = async (names: readonly string[]) => {
    const units = await showUnits(host, ['LoadState', 'ActiveState'], names);
    return units.map((unit) => `${unit.get('LoadState')}/${unit.get('ActiveState')}`);
  };

  /** A verb for units that are not there yet, the one that undoes it, and what is seen of them. */
  const verbs = [
    {
      verb: 'submit',
      undo: 'destroy',
      count: 9,
      until: (count: number) => suite.untilUnitFiles(host, count),
      done: 'not-found/inactive',
      undone: 'not-found/inactive',
    },
    {
      verb: 'load',
      undo: 'unload',
      count: 6,
      until: (count: number) => suite.untilUnits(host, count),
      done: 'loaded/inactive',
      undone: 'not-found/inactive',
    },
    {
      verb: 'start',
      undo: 'stop',
      count: 3,
      until: (count: number) => suite.untilActive(host, count),
      done: 'loaded/active',
      undone: 'loaded/inactive',
    },
  ] as const;

  for (const { verb, undo, count, until, done, undone } of verbs) {
    const title = `${verb.slice(0, 1).toUpperCase()}${verb.slice(1)}`;
    const names = instances(count);

    it(`Unit${title}`, async () => {
      for (const _ of ['once', 'and once more']) {
        await must(verb, ...pathsOf(names));
        assert.deepEqual([...(await until(count)).keys()], names);
        assert.deepEqual(await seenOf(names), Array(count).fill(done));
        for (const name of names) await must(undo, name);
        await until(0);
        assert.deepEqual(await seenOf(names), Array(count).fill(undone));
      }
    });

    it(`Unit${title}Replace`, async () => {
      await must(verb, ...pathsOf(names));
      await until(count);
      const cats = () => Promise.all(names.map((name) => must('cat', name)));
      const before = await cats();
      const changed = join(suite.lab.directory, `changed-${verb}`);
      await mkdir(changed);
      for (const [index, name] of names.entries()) {
        await writeFile(join(changed, name), before[index]?.replace('echo', 'echo again') ?? '');
        await must(verb, '--replace', join(changed, name));
      }
      assert.deepEqual([...(await until(count)).keys()], names);
      assert.deepEqual(await seenOf(names), Array(count).fill(done));
      for (const [index, text] of (await cats()).entries()) assert.match(text, /again/, `${names[index]}`);
      for (const name of names) await must(undo, name);
      await until(0);
    });
  }

  it('UnitRestart', async () => {
    const names = instances(3);
    await must('start', ...pathsOf(names));
    await suite.untilActive(host, 3);
    for (const _ of ['once', 'and once more, of units that are stopped']) {
      const invocations = await Promise.all(names.map((name) => see(host, name)));
      await must('restart', ...names);
      await suite.untilActive(host, 3);
      for (const [index, name] of names.entries())
        assert.notEqual((await see(host, name)).invocation, invocations[index]?.invocation, name);
      await must('stop', ...names);
      await suite.untilActive(host, 0);
      assert.deepEqual(await seenOf(names), Array(3).fill('loaded/inactive'));
    }
  });

  it('UnitCat', async () => {
    await must('submit', suite.unit('hello.service'));
    const text = await readFile(suite.unit('hello.service'), 'utf8');
    assert.equal((await must('cat', 'hello.service')).trim(), text.trim());
  });

  it('UnitStatus', async () => {
    await must('load', suite.unit('hello.service'));
    const { stdout } = await suite.fleetctl(host, 'status', 'hello.service');
    assert.match(stdout, /Loaded: loaded/);
  });

  it('ListUnitFilesOrder', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `hello@${String(index + 1).padStart(2, '0')}.service`);
    for (const name of [...names].reverse()) await must('submit', suite.unit(name));
    assert.deepEqual(linesOf(await must('list-unit-files', '--no-legend', '--fields', 'unit')), names);
  });
});
