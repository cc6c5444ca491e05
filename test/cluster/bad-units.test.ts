import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { fleetctl, isLong, labObstacle, mustFleetctl, type TestHost, waitUntil } from '../lab/index.js';
import { Cluster, runningUnits, sleeper } from './cluster.js';
import { order, shell, unitsDirectory, untilActive, untilGone } from './on-host.js';
import { assertUntouched, type Runs, recordRuns, runsOf } from './unit-runs.js';

const [goodCount, badCount] = isLong ? [50, 10] : [20, 3];

/** Units that can't run, by kind: their text, and what fleetctl says of each. */
const badKinds: Readonly<Record<string, { readonly text: string; readonly says: RegExp }>> = {
  setting: { text: '[Service]\nType=simple\n', says: /bad unit file setting/ },
  binary: { text: '[Service]\nExecStart=/no/such/program\n', says: /failed \(failed\)/ },
  hanging: {
    text: '[Service]\nType=notify\nTimeoutStartSec=1\nExecStart=/bin/sleep infinity\n',
    says: /failed \(failed\)/,
  },
  crashing: {
    text: '[Unit]\nStartLimitBurst=2\n[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=10ms\n',
    says: /failed \(failed\)/,
  },
  lonely: { text: `[Unit]\nRequires=test-nobody.service\n${sleeper}`, says: /test-nobody\.service not found/ },
  refusing: { text: `[Unit]\nRefuseManualStart=yes\n${sleeper}`, says: /Operation refused/ },
  masked: { text: sleeper, says: /is masked/ },
};

/** Something that is wrong with a place on the disk. `why` is what is said of a unit that comes then. */
interface DiskTrouble {
  readonly what: string;
  readonly why: RegExp;
  readonly begin: string;
  readonly end: string;
  /** What is to go on all the same: orders that need nothing of that place. @default yes */
  readonly isTotal?: boolean;
}

const keep = '/var/tmp/keep';
/** A full disk with what was in the place. */
const fill = (place: string) =>
  `mkdir -p ${keep}; cp -a ${place}/. ${keep}/
  mount -t tmpfs -o size=256k tmpfs ${place}; cp -a ${keep}/. ${place}/
  dd if=/dev/zero of=${place}/fill bs=4k status=none 2>/dev/null || true`;
const troubles: readonly DiskTrouble[] = [
  {
    what: 'a units directory that is read-only',
    why: /can't be written: EROFS/,
    begin: `mount --bind ${unitsDirectory} ${unitsDirectory}; mount -o remount,ro,bind ${unitsDirectory}`,
    end: `umount ${unitsDirectory}`,
  },
  {
    what: 'a units directory on a full disk',
    why: /can't be written: ENOSPC/,
    begin: fill(unitsDirectory),
    end: `rm ${unitsDirectory}/fill`,
  },
  {
    what: 'a units directory that is none',
    why: /units directory can't be read: EEXIST/,
    begin: `mv ${unitsDirectory} ${keep}; touch ${unitsDirectory}`,
    end: `rm ${unitsDirectory}; mv ${keep} ${unitsDirectory}`,
    isTotal: true,
  },
  {
    what: 'a state directory on a full disk',
    why: /can't note that it is to run it: ENOSPC/,
    begin: fill('/var/lib/fleet'),
    end: 'rm /var/lib/fleet/fill',
  },
];

const [kept, stopped, late] = ['test-kept.service', 'test-stopped.service', 'test-late.service'];

describe('units that can not be as they should', { skip: labObstacle() }, () => {
  let cluster: Cluster;
  let host: TestHost;

  before(async () => {
    cluster = await Cluster.start('bad-units', { hosts: 1 });
    host = cluster.anyHost;
  });

  after(() => cluster.close());
  afterEach(() => cluster.reset());

  const must = (...args: readonly string[]) => mustFleetctl(host, args);

  it(`${goodCount} good units run, whatever comes with them, and each bad one says what is wrong`, async () => {
    const range = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
    const good = range(goodCount).map((index) => `test-good-${index}.service`);
    const texts: Record<string, string> = Object.fromEntries(good.map((name) => [name, sleeper]));
    for (const [kind, { text }] of Object.entries(badKinds))
      for (const index of range(badCount)) texts[`test-${kind}-${index}.service`] = text;
    texts['test-template@.service'] = sleeper;
    await shell(
      host,
      `systemctl mask --no-reload ${range(badCount)
        .map((n) => `test-masked-${n}.service`)
        .join(' ')}`,
    );
    await shell(host, 'systemctl daemon-reload');
    const { code, stderr } = await order(cluster, ['start'], texts);
    assert.equal(code, 1);
    assert.deepEqual(await runningUnits(host), [...good].sort());
    for (const [kind, { says }] of Object.entries(badKinds))
      for (const index of range(badCount)) {
        const line = stderr.split('\n').find((each) => each.includes(`Unit test-${kind}-${index}.service failed`));
        assert.match(line ?? stderr, says);
      }
    assert.match(stderr, /cannot start template test-template@\.service; start an instance of it/);
    const before = await recordRuns([host]);
    await order(cluster, ['load'], { 'test-nobody.service': sleeper });
    const helped = range(badCount).map((index) => `test-lonely-${index}.service`);
    await cluster.untilRunning(host, [...good, ...helped, 'test-nobody.service']);
    await assertUntouched(runsOf(before, good), [host]);
    await shell(host, `systemctl unmask --no-reload 'test-masked-1.service'; systemctl daemon-reload`);
    await must('start', 'test-masked-1.service');
    await must('destroy', ...Object.keys(texts).filter((name) => !name.includes('@')), 'test-nobody.service');
    assert.equal((await shell(host, 'systemctl list-units --all --no-legend --plain "test-*.service"')).trim(), '');
    await shell(host, 'rm -f /etc/systemd/system/test-masked-*; systemctl daemon-reload');
  });

  for (const { what, why, begin, end, isTotal = false } of troubles) {
    it(`${what} fails the units that come, leaves the others alone, and heals`, async () => {
      await cluster.startUnits([kept, stopped], sleeper);
      const before: Runs = runsOf(await recordRuns([host]), [kept]);
      await shell(host, begin);
      try {
        const { code, stderr } = await order(cluster, ['start'], { [late]: sleeper });
        assert.equal(code, 1);
        assert.match(stderr, why);
        assert.match((await fleetctl(host, ['status', late])).stdout, why);
        if (!isTotal) {
          await must('stop', stopped);
          await must('start', stopped);
        }
        await assertUntouched(before, [host]);
      } finally {
        await shell(host, end);
      }
      await untilActive(host, late);
      await waitUntil({
        what: 'no unit has an error',
        read: () => must('status', kept, stopped, late),
        until: (status) => !status.includes('Error:'),
      });
      await assertUntouched(before, [host]);
      await must('destroy', kept, stopped, late);
      for (const name of [kept, stopped, late]) await untilGone(host, name);
      await shell(host, `umount ${unitsDirectory} /var/lib/fleet 2>/dev/null || true; rm -rf ${keep}`);
    });
  }

  it('a mount that is busy says so when it is to go, is not asked in a loop, and goes when it is free', async () => {
    const mount = 'mnt-test.mount';
    await cluster.start({ [mount]: '[Mount]\nWhat=tmpfs\nWhere=/mnt/test\nType=tmpfs\nLazyUnmount=no\n' });
    await shell(host, 'systemd-run -q --unit=test-guest sh -c "cd /mnt/test; exec sleep infinity"');
    const { code, stderr } = await fleetctl(host, ['destroy', '--wait=4s', mount]);
    assert.equal(code, 2);
    assert.match(stderr, /told to stop it, and it runs again/);
    const tries = (await host.journal('fleet.service'))
      .split('\n')
      .filter((line) => /stopping units.*mnt-test/.test(line));
    assert.ok(tries.length > 1 && tries.length < 10, `${tries.length} tries`);
    await shell(host, 'systemctl stop test-guest');
    await untilGone(host, mount);
  });

  it('what is not noted of starts, for want of room, is known all the same, and adopted later', async () => {
    await cluster.startUnits([kept], sleeper);
    const before = runsOf(await recordRuns([host]), [kept]);
    await shell(
      host,
      'mount -t tmpfs -o size=4k tmpfs /run/fleet/started; dd if=/dev/zero of=/run/fleet/started/fill bs=4k count=1 status=none',
    );
    await cluster.startUnits([late], sleeper);
    await must('stop', late);
    await must('start', late);
    const now = await recordRuns([host]);
    await shell(host, 'systemctl restart fleet.service');
    await must('list-units');
    await shell(host, 'umount /run/fleet/started; systemctl restart fleet.service');
    await must('start', kept, late);
    await assertUntouched(before, [host]);
    await assertUntouched(now, [host]);
  });

  it('names and files of any size that systemd takes are taken, and others are refused', async () => {
    const long = `test-${'n'.repeat(255 - 'test-.service'.length)}.service`;
    await cluster.start({ [long]: sleeper, 'test-big.service': `${sleeper}${'# filler\n'.repeat(60_000)}` });
    for (const name of [long, 'test-big.service']) await untilActive(host, name);
    const tooLong = await fleetctl(host, ['start', `test-${'n'.repeat(256)}.service`]);
    assert.equal(tooLong.code === 0, false);
    const spaced = await fleetctl(host, ['start', 'test a.service']);
    assert.equal(spaced.code === 0, false);
  });
});
