import assert from 'node:assert/strict';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, afterEach, before, describe, it } from 'node:test';
import { Exposition } from '../lab/exposition.js';
import { endpointOf, fleetctl, journalsOf, labObstacle, mustFleetctl, type TestHost, waitUntil } from '../lab/index.js';
import { Cluster, sleeper } from './cluster.js';

const configFile = '/etc/fleet/fleet.conf';
const ownFleetctl = '/opt/fleet/fleetctl';
const tcpSocket = `[Socket]\nListenStream=0.0.0.0:49155\nService=fleet.service\n`;

describe('where a host’s API is served, and what it counts', { skip: labObstacle() }, () => {
  let cluster: Cluster;
  let host: TestHost;
  let config = '';

  before(async () => {
    cluster = await Cluster.start('doors', {
      hosts: 1,
      config: { listen: 'unix:///srv/own.sock, http://127.0.0.1:49153' },
    });
    host = cluster.anyHost;
    config = await host.readFile(configFile);
  });
  after(() => cluster.close());
  afterEach(() => cluster.reset());

  /** What the host's own fleetctl says of machines by way of an endpoint; `undefined` if it can't reach that. */
  async function askAt(endpoint: string): Promise<{ list: string; said: string } | undefined> {
    const asked = ['env', 'PATH=/opt/node:/usr/bin', ownFleetctl, `--endpoint=${endpoint}`, 'list-machines', '--full'];
    const { code, stdout, stderr } = await host.exec(asked);
    return code === 0 ? { list: stdout, said: stderr } : undefined;
  }

  /** How often fleetd's journal warns of an API that others reach. */
  const countWarnings = async () => (await journalsOf([host])).split('the API is open at').length - 1;

  async function scrape(): Promise<Exposition> {
    const sent = request({ socketPath: endpointOf(host).replace('unix://', ''), path: '/metrics', agent: false });
    const answered = new Promise<Exposition>((resolve, reject) => {
      sent.on('error', reject);
      sent.on('response', (response) => {
        text(response).then((body) => resolve(Exposition.parse(body)), reject);
      });
    });
    sent.end();
    return answered;
  }

  async function untilCounted(what: string, isSo: (now: Exposition) => boolean): Promise<Exposition> {
    return await waitUntil({ what, read: scrape, until: isSo, onTimeout: () => cluster.details() });
  }

  it('is what listen says, on loopback and in a file for the group fleet, without an alarm', async () => {
    for (const endpoint of ['unix:///srv/own.sock', 'http://127.0.0.1:49153']) {
      const answer = await askAt(endpoint);
      assert.ok(answer, endpoint);
      assert.ok(answer.list.includes(host.machineId), endpoint);
      assert.doesNotMatch(answer.said, /Alarm/);
    }
    assert.equal(await askAt(`http://${host.address}:49153`), undefined);
    assert.equal((await host.mustExec(['stat', '-c', '%A %G', '/srv/own.sock'])).trim(), 'srw-rw---- fleet');
    assert.equal(await countWarnings(), 0);
  });

  it('counts what the agent does to a unit, and tells how its units are', async () => {
    const task = (type: string) => `fleet_agent_task_count_total{type="${type}"}`;
    const earlier = await scrape();
    assert.equal(earlier.value('fleet_agent_contact'), 1);
    assert.equal(earlier.value('fleet_agent_frozen'), 0);
    assert.equal(earlier.value('fleet_engine_leading'), 1);
    await cluster.startUnits(['test-a.service', 'test-b.service'], sleeper);
    const running = await untilCounted(
      'both are told as active',
      (now) => now.value('fleet_agent_units{state="active"}') === 2,
    );
    const grown = (now: Exposition, series: string) => now.value(series) - earlier.value(series);
    assert.deepEqual([grown(running, task('load')), grown(running, task('start'))], [2, 2]);
    assert.equal(grown(running, 'fleet_engine_task_count_total{type="attemptscheduleunit"}'), 2);
    assert.ok(running.value('fleet_systemd_call_count_total{by="dbus",verb="StartUnit"}') >= 2);
    assert.equal(
      running.sum('fleet_systemd_call_count_total'),
      running.sum('fleet_systemd_call_duration_second_count'),
    );
    assert.equal(running.sum('fleet_agent_task_failure_count_total'), 0);
    await host.mustExec(['systemctl', 'kill', '--signal=KILL', 'test-a.service']);
    await untilCounted('one is told as failed', (now) => now.value('fleet_agent_units{state="failed"}') === 1);
    await mustFleetctl(host, ['destroy', 'test-a.service', 'test-b.service']);
    const over = await untilCounted('none is told', (now) => now.sum('fleet_agent_units') === 0);
    assert.deepEqual([grown(over, task('unload')), grown(over, task('restart'))], [2, 0]);
  });

  it('goes on counting through a reload', async () => {
    await cluster.startUnits(['test-a.service'], sleeper);
    const started = 'fleet_agent_task_count_total{type="start"}';
    const earlier = await untilCounted(
      'it is told as active',
      (now) => now.value('fleet_agent_units{state="active"}') === 1,
    );
    await host.writeFile(configFile, `${config}token_limit = 50\n`);
    await host.mustExec(['systemctl', 'reload', 'fleet.service']);
    const passes = 'fleet_agent_pass_count_total';
    const now = await untilCounted(
      'the components of the new configuration are told of',
      (later) => later.value('fleet_agent_units{state="active"}') === 1 && later.value(passes) > earlier.value(passes),
    );
    assert.equal(
      now.value('process_start_time_seconds').toFixed(0),
      earlier.value('process_start_time_seconds').toFixed(0),
    );
    assert.equal(now.value(started), earlier.value(started));
    await host.writeFile(configFile, config);
    await host.mustExec(['systemctl', 'reload', 'fleet.service']);
  });

  it('that other hosts reach it is told once in the log, and by list-machines for as long as it lasts', async () => {
    await host.writeFile('/etc/systemd/system/fleet-tcp.socket', tcpSocket);
    await host.writeFile(configFile, `${config}insecure_listen = ${host.address}:49154\n`);
    await host.mustExec(['systemctl', 'daemon-reload']);
    await host.mustExec(['systemctl', 'stop', 'fleet.service']);
    await host.mustExec(['systemctl', 'start', 'fleet-tcp.socket', 'fleet.socket', 'fleet.service']);
    const open = [`http://${host.address}:49154`, `http://${host.address}:49155`];
    for (const endpoint of [...open, 'http://127.0.0.1:49153'])
      await waitUntil({
        what: `${endpoint} answers with the alarm`,
        read: () => askAt(endpoint),
        until: (answer) => /^Alarm: the API is open at .*:4915[45] and .*:4915[45]:/m.test(answer?.said ?? ''),
        onTimeout: () => cluster.details(),
      });
    assert.equal(await countWarnings(), 1);
    const { stdout } = await fleetctl(host, ['list-machines', '-o', 'json']);
    const { alarms } = JSON.parse(stdout) as { alarms: { code: string }[] };
    assert.deepEqual(
      alarms.map(({ code }) => code),
      ['api-open'],
    );
    await host.mustExec(['systemctl', 'stop', 'fleet-tcp.socket', 'fleet.service']);
    await host.mustExec(['rm', '/etc/systemd/system/fleet-tcp.socket']);
    await host.writeFile(configFile, config);
    await host.mustExec(['systemctl', 'daemon-reload']);
    await host.mustExec(['systemctl', 'start', 'fleet.socket', 'fleet.service']);
    await waitUntil({
      what: 'the alarm is over',
      read: () => fleetctl(host, ['list-machines']),
      until: ({ code, stderr }) => code === 0 && !stderr.includes('Alarm'),
      onTimeout: () => cluster.details(),
    });
  });

  it('a socket that can’t be had keeps fleetd from starting, and the log says which', async () => {
    await host.writeFile(configFile, `${config}insecure_listen = 192.0.2.1:49156\n`);
    await host.exec(['systemctl', 'restart', 'fleet.service']);
    await waitUntil({
      what: 'the log says why',
      read: () => journalsOf([host]),
      until: (journal) => journal.includes('cannot listen on 192.0.2.1:49156: '),
    });
    await host.writeFile(configFile, config.replace(/^listen.*$/m, 'listen = 0.0.0.0:49153'));
    await waitUntil({
      what: 'the log says what may not be',
      read: () => journalsOf([host]),
      until: (journal) => /fleet\.conf:\d+: listen is 0\.0\.0\.0:49153, which other hosts reach/.test(journal),
    });
    await host.writeFile(configFile, config);
    await host.mustExec(['systemctl', 'reset-failed', 'fleet.service']);
    await host.mustExec(['systemctl', 'restart', 'fleet.service']);
  });
});
