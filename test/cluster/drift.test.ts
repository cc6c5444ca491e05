import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { fleetctl, labObstacle, mustFleetctl, type TestHost, waitUntil } from '../lab/index.js';
import { Cluster, sleeper } from './cluster.js';
import { order, see, shell, unitsDirectory, untilActive, untilSeen } from './on-host.js';
import { assertUntouched, type Runs, recordRuns, runsOf } from './unit-runs.js';

const [web, idle, foreign] = ['test-web.service', 'test-idle.service', 'test-foreign.service'];
const strange = '[Service]\nExecStart=/bin/sleep 77777\n';

describe('what others do to units on a host', { skip: labObstacle() }, () => {
  let cluster: Cluster;
  let host: TestHost;
  let runs: Runs;

  before(async () => {
    cluster = await Cluster.start('drift', { hosts: 1 });
    host = cluster.anyHost;
  });

  after(() => cluster.close());
  afterEach(() => cluster.reset());

  const must = (...args: readonly string[]) => mustFleetctl(host, args);

  /** A unit that runs and one that is loaded. */
  const begin = async () => {
    await order(cluster, ['start'], { [web]: sleeper });
    await order(cluster, ['load'], { [idle]: sleeper });
    runs = runsOf(await recordRuns([host]), [web]);
  };

  const untilTold = (unit: string, active: string) =>
    waitUntil({
      what: `list-units says that ${unit} is ${active}`,
      read: () => cluster.rows(unit),
      until: (rows) => rows[0]?.active === active,
    });

  const untilFile = (unit: string, text: string) =>
    waitUntil({
      what: `the file of ${unit} is as submitted`,
      read: () => host.readFile(`${unitsDirectory}/${unit}`),
      until: (found) => found === text,
      onTimeout: () => host.journal('fleet.service'),
    });

  const untilLogged = (line: RegExp) =>
    waitUntil({
      what: `the log says ${line}`,
      read: () => host.journal('fleet.service'),
      until: (log) => line.test(log),
    });

  it('a unit that was stopped or killed by hand is reported, stays so, and is started when asked', async () => {
    for (const [deed, active] of [
      ['stop', 'inactive'],
      ['kill --signal=KILL', 'failed'],
    ] as const) {
      await begin();
      await shell(host, `systemctl ${deed} ${web}`);
      await untilTold(web, active);
      await shell(host, 'systemctl restart fleet.service');
      await must('load', idle);
      assert.match((await see(host, web)).state, new RegExp(`^${active}/`));
      await must('start', web);
      await untilActive(host, web);
    }
  });

  it('a unit that was restarted by hand is left alone', async () => {
    await begin();
    await shell(host, `systemctl restart ${web}`);
    const since = await recordRuns([host]);
    await must('start', web, idle);
    await assertUntouched(runsOf(since, [web]), [host]);
  });

  it('a unit that was started by hand, and is to be only loaded, is reported and left alone', async () => {
    await begin();
    await shell(host, `systemctl start ${idle}`);
    await untilTold(idle, 'active');
    const since = await recordRuns([host]);
    await shell(host, 'systemctl restart fleet.service');
    await must('start', idle);
    await assertUntouched(since, [host]);
    await must('stop', idle);
    assert.equal((await see(host, idle)).state, 'inactive/dead');
  });

  it('an edited file is put right, and the unit that runs is left alone; so is one that is loaded', async () => {
    await begin();
    for (const unit of [web, idle]) {
      await host.writeFile(`${unitsDirectory}/${unit}`, strange);
      await shell(host, 'systemctl daemon-reload');
      await untilFile(unit, sleeper);
    }
    await untilLogged(/edited on this host: it was put right.*test-web\.service/);
    await untilSeen(host, web, ({ load }) => load === 'loaded');
    assert.equal(await need(web), 'no');
    assert.equal((await see(host, idle)).state, 'inactive/dead');
    await assertUntouched(runs, [host]);
    assert.match(await shell(host, `systemctl show -p ExecStart ${web}`), /sleep infinity/);
  });

  it('an edit while fleetd is down is put right when it is back, and no replacement is lost by it', async () => {
    await begin();
    await shell(host, 'systemctl kill --signal=STOP fleet.service');
    await host.writeFile(`${unitsDirectory}/${web}`, strange);
    await shell(host, 'systemctl daemon-reload; systemctl kill --signal=KILL fleet.service');
    await untilFile(web, sleeper);
    await assertUntouched(runs, [host]);
    // An edit that comes before the same text is submitted does not make what runs the new one.
    await host.writeFile(`${unitsDirectory}/${web}`, strange);
    await order(cluster, ['start', '--replace'], { [web]: strange });
    await untilFile(web, strange);
    const now = await untilActive(host, web);
    assert.notEqual(now.mainPid, runs.get(`${host.name} ${web}`)?.mainPid);
    assert.match(await shell(host, `tr '\\0' ' ' < /proc/${now.mainPid}/cmdline`), /sleep 77777/);
  });

  const removals: Readonly<Record<string, string>> = {
    'a file that was removed': `rm ${unitsDirectory}/${web}`,
    'a file that was removed, with a reload': `rm ${unitsDirectory}/${web}; systemctl daemon-reload`,
    'a link that was removed, with a reload': `rm /run/systemd/system/${web}; systemctl daemon-reload`,
    'a unit that was disabled': `systemctl disable --runtime ${web}`,
    'a directory that was removed': `rm -r ${unitsDirectory}; systemctl daemon-reload`,
  };
  for (const [what, deed] of Object.entries(removals)) {
    it(`${what} is put back, and the unit that runs is left alone`, async () => {
      await begin();
      await shell(host, deed);
      await waitUntil({
        what: 'file and link are there, and systemd knows them',
        read: () => shell(host, `cat /run/systemd/system/${web}; systemctl show --value -p LoadState ${web} ${idle}`),
        until: (said) => said === `${sleeper}loaded\n\nloaded\n`,
        onTimeout: () => host.journal('fleet.service'),
      });
      await assertUntouched(runs, [host]);
      await must('stop', web);
      await must('start', web);
    });
  }

  it('a mask is left alone: what runs goes on, and a start says why it is refused', async () => {
    await begin();
    await shell(host, `systemctl mask ${web}`);
    try {
      await assertUntouched(runs, [host]);
      await must('stop', web);
      const { code, stderr } = await fleetctl(host, ['start', web]);
      assert.equal(code, 1);
      assert.match(stderr, /is masked/);
    } finally {
      await shell(host, `systemctl unmask ${web}`);
    }
    await must('start', web);
  });

  it('a drop-in is left alone, also when the unit is replaced and destroyed', async () => {
    await begin();
    const dropIn = `/etc/systemd/system/${web}.d/own.conf`;
    await host.writeFile(dropIn, '[Service]\nEnvironment=OWN=1\n');
    await shell(host, `systemctl daemon-reload; systemctl restart ${web}`);
    const since = runsOf(await recordRuns([host]), [web]);
    await must('start', web);
    await assertUntouched(since, [host]);
    await order(cluster, ['start', '--replace'], { [web]: strange });
    assert.match(await shell(host, `systemctl show -p Environment ${web}`), /OWN=1/);
    await must('destroy', web);
    await shell(host, `rm ${dropIn}`);
  });

  it('files and links of others in the units directory are left alone, and told of once', async () => {
    await begin();
    await shell(
      host,
      `cd ${unitsDirectory}; printf '${strange.replaceAll('\n', '\\n')}' > ${foreign}
      ln -s /etc/hostname test-link.service; echo hello > notes.txt`,
    );
    await untilLogged(/not put there by this agent; it is left alone.*test-foreign/);
    await untilLogged(/not a unit file; ignored.*test-link/);
    await must('stop', web);
    await shell(host, 'systemctl restart fleet.service');
    await must('start', web);
    assert.equal(await host.readFile(`${unitsDirectory}/${foreign}`), strange);
    // A name that the cluster gives to a unit is the cluster's here; what a link leads to is not.
    await order(cluster, ['start'], { 'test-link.service': sleeper });
    assert.equal((await host.readFile('/etc/hostname')).trim(), host.name);
    await shell(host, `cd ${unitsDirectory}; rm ${foreign} notes.txt`);
  });

  it("the host's own units of a unit's name are left alone: running, in /etc, and made by programs", async () => {
    await begin();
    await host.writeFile(`/etc/systemd/system/${foreign}`, strange);
    await shell(
      host,
      `systemctl daemon-reload; systemctl start ${foreign}; systemd-run -q --unit=test-made sleep infinity`,
    );
    const before = await recordRuns([host]);
    const { code, stderr } = await order(cluster, ['start'], { [foreign]: sleeper, 'test-made.service': sleeper });
    assert.equal(code, 1);
    assert.match(stderr, /test-foreign\.service failed.*the host has a unit of its own under this name/);
    assert.match(stderr, /test-made\.service failed.*the host has a unit of its own under this name/);
    for (const verb of ['stop', 'destroy']) await must(verb, foreign, 'test-made.service');
    await assertUntouched(before, [host]);
    await shell(
      host,
      `systemctl stop ${foreign} test-made; rm /etc/systemd/system/${foreign}; systemctl daemon-reload`,
    );
  });

  const need = async (unit: string) => (await shell(host, `systemctl show --value -p NeedDaemonReload ${unit}`)).trim();
});
