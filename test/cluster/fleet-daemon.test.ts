import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { sleep, systemClock } from '@flotilla/runtime';
import { labObstacle, showUnits, type TestHost, waitUntil } from '../lab/index.js';
import { FleetSuite } from './fleet-suite.js';
import { see } from './on-host.js';

const monitorLine = 'Server monitor triggered: Monitor timed out before successful heartbeat';

/** `agent_ttl`, an agent's pass and something for the way: fleet's tests cut etcd off for that long. */
const cutMs = 10_000;

describe('fleet’s functional tests of its daemon, on one machine', { skip: labObstacle() }, () => {
  let suite: FleetSuite;
  let host: TestHost;

  before(async () => {
    suite = await FleetSuite.start('fleet-daemon', 1);
    host = suite.host(0);
  });

  after(() => suite.close());
  afterEach(async () => {
    await host.healNetwork();
    await host.mustExec(['systemctl', 'start', 'fleet']);
    await suite.untilMachines(host, 1);
    await suite.reset(host);
  });

  const must = (...args: readonly string[]) => suite.must(host, ...args);
  const systemctl = (...args: readonly string[]) => host.mustExec(['systemctl', ...args]);

  const assertIs = async (active: string) => {
    const [seen] = await showUnits(host, ['ActiveState', 'Result'], ['fleet.service']);
    assert.deepEqual([seen?.get('ActiveState'), seen?.get('Result')], [active, 'success']);
  };

  const journal = async (...options: readonly string[]) =>
    (await host.mustExec(['journalctl', '--boot', '--no-pager', '--output=cat', ...options])).split('\n');

  /** @returns What the journal says from now on. */
  const listen = async (...options: readonly string[]) => {
    const { length } = await journal(...options);
    return async () => (await journal(...options)).slice(length - 1).join('\n');
  };

  const untilSaid = (said: () => Promise<string>, line: string) =>
    waitUntil({ what: `the journal says ${line}`, read: said, until: (text) => text.includes(line) });

  it('Shutdown', async () => {
    await systemctl('stop', 'fleet');
    await assertIs('inactive');
  });

  it('ShutdownVsMonitor', async () => {
    const said = await listen('--unit=fleet.service');
    await host.cutNetwork('silence');
    await untilSaid(said, monitorLine);
    await systemctl('stop', 'fleet');
    await assertIs('inactive');
  });

  it('ReconfigureServer', async () => {
    await must('start', suite.unit('hello.service'));
    await must('unload', 'hello.service');
    const said = await listen('--unit=fleet.service');
    const { mainPid } = await see(host, 'fleet.service');
    await systemctl('kill', '--signal=SIGHUP', '--kill-who=main', 'fleet.service');
    await untilSaid(said, 'Reloading configuration');
    assert.equal(await must('list-units', '--no-legend'), '');
    assert.doesNotMatch(await said(), /Failed serving HTTP on listener:/);
    await assertIs('active');
    assert.equal((await see(host, 'fleet.service')).mainPid, mainPid);
  });

  it('SingleNodeConnectivityLoss', async () => {
    const names = (state: string) => [`single@${state}.service`, `global@${state}.service`];
    const [submitted, loaded, launched] = [names('submitted'), names('loaded'), names('launched')];
    await must('submit', ...submitted.map((name) => suite.unit(name)));
    await must('load', ...loaded.map((name) => suite.unit(name)));
    await must('start', ...launched.map((name) => suite.unit(name)));
    await suite.untilActive(host, 2);
    await suite.untilUnits(host, 4);
    const view = async () => [
      await must('list-unit-files', '--no-legend', '--fields', 'unit,dstate'),
      await must('list-units', '--no-legend', '--fields', 'unit,active,machine'),
    ];
    const seen = async () => ({
      enabled: await host.exec(['systemctl', 'is-enabled', ...loaded, ...launched]),
      units: await Promise.all([...loaded, ...launched].map((name) => see(host, name))),
    });
    const [viewBefore, before] = [await view(), await seen()];
    assert.equal(before.enabled.stdout, 'linked-runtime\n'.repeat(4));
    const said = await listen();
    await host.cutNetwork('refusal');
    await sleep(systemClock, cutMs);
    assert.deepEqual(await seen(), before);
    await host.healNetwork();
    await waitUntil({
      what: 'fleetctl tells the same as before',
      read: view,
      until: (now) => now.join() === viewBefore.join(),
      onTimeout: said,
    });
    assert.deepEqual(await seen(), before);
    assert.ok((await said()).includes(monitorLine), 'contact was lost');
    assert.doesNotMatch(await said(), /Stopping (?:single|global)@/);
    await must('stop', 'single@launched.service');
    assert.match(await said(), /Stopping single@launched/);
  });
});
