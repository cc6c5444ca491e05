import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import type { Store } from '@flotilla/registry';
import { createEtcdStore } from '@flotilla/registry-etcd';
import { silentLogger, systemClock } from '@flotilla/runtime';
import { Exposition } from '../lab/exposition.js';
import { etcdMissing, TestEtcd } from './etcd.js';
import { joinMachine, untilSo } from './etcd-host.js';
import { FleetdProcess } from './fleetd-process.js';
import { freePorts } from './free-ports.js';

const prefix = '/metrics/';
const file = { options: [{ section: 'Service', name: 'ExecStart', value: '/bin/sleep 1' }] };
const nowhere = { options: [...file.options, { section: 'X-Fleet', name: 'MachineMetadata', value: 'at=moon' }] };

describe('what fleetd counts', { skip: etcdMissing() ?? false }, () => {
  let etcd: TestEtcd;
  let store: Store;
  let fleetd: FleetdProcess;
  let url = '';
  before(async () => {
    etcd = await TestEtcd.start();
    store = createEtcdStore({
      hosts: [etcd.url],
      prefix,
      requestTimeoutMs: 1_000,
      clock: systemClock,
      log: silentLogger,
    });
    const [port = 0] = await freePorts(1);
    url = `http://127.0.0.1:${port}`;
    fleetd = new FleetdProcess({
      etcd_servers: etcd.url,
      etcd_key_prefix: prefix,
      engine_reconcile_interval: '0.4',
      listen: url,
    });
    await fleetd.untilSaid(/Engine leadership acquired/);
    await joinMachine(store, parseMachineId('a'.repeat(32)));
  });
  after(async () => {
    await fleetd?.remove();
    await store?.close();
    await etcd?.remove();
  });

  async function scrape(): Promise<Exposition> {
    const response = await fetch(`${url}/metrics`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    return Exposition.parse(await response.text());
  }

  async function put(name: string, body: object): Promise<number> {
    const headers = { 'Content-Type': 'application/json' };
    const answer = await fetch(`${url}/fleet/v1/units/${name}`, { method: 'PUT', headers, body: JSON.stringify(body) });
    return answer.status;
  }

  async function untilCounted(what: string, isSo: (now: Exposition) => boolean): Promise<Exposition> {
    let now = await scrape();
    await untilSo(what, async () => {
      now = await scrape();
      return isSo(now);
    });
    return now;
  }

  const schedules = 'fleet_engine_task_count_total{type="attemptscheduleunit"}';
  const unschedules = 'fleet_engine_task_count_total{type="unscheduleunit"}';
  const fitNowhere = 'fleet_engine_reconcile_failure_count_total{type="schedule"}';
  const operations = (type: string) => `fleet_registry_operation_count_total{type="${type}"}`;

  test('has fleet’s names, types and labels from the first moment', async () => {
    const { types, values } = await scrape();
    assert.equal(types.get('fleet_engine_leader_start_time'), 'gauge');
    assert.equal(types.get('fleet_engine_reconcile_duration_second'), 'histogram');
    assert.equal(types.get('fleet_registry_operation_duration_second'), 'histogram');
    const expected = [
      ...['attemptscheduleunit', 'unscheduleunit'].flatMap((type) => [
        `fleet_engine_task_count_total{type="${type}"}`,
        `fleet_engine_task_failure_count_total{type="${type}"}`,
      ]),
      'fleet_engine_reconcile_count_total',
      ...['machine_away', 'run', 'schedule'].map(
        (type) => `fleet_engine_reconcile_failure_count_total{type="${type}"}`,
      ),
      ...['get', 'set', 'get_all'].flatMap((type) => [
        operations(type),
        `fleet_registry_operation_failed_count_total{type="${type}"}`,
        `fleet_registry_operation_duration_second_count{ops="${type}"}`,
      ]),
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
    ];
    assert.deepEqual(
      expected.filter((series) => !values.has(series)),
      [],
    );
  });

  test('a start is one unit given a machine, and a PUT and a plan in the store', async () => {
    const earlier = await untilCounted('at rest', (now) => now.value('fleet_engine_reconcile_count_total') > 0);
    assert.equal(await put('a.service', { ...file, desiredState: 'launched' }), 201);
    const now = await untilCounted('scheduled', (later) => later.value(schedules) > earlier.value(schedules));
    const grown = (series: string) => now.value(series) - earlier.value(series);
    assert.equal(grown(schedules), 1);
    assert.equal(grown(unschedules), 0);
    assert.equal(grown(fitNowhere), 0);
    assert.equal(now.value('fleet_engine_task_failure_count_total{type="attemptscheduleunit"}'), 0);
    assert.ok(grown(operations('set')) >= 2);
    assert.equal(
      now.value('fleet_api_request_count_total{method="PUT",route="/fleet/v1/units/:name",status="201"}'),
      1,
    );
    assert.equal(
      now.value('fleet_engine_reconcile_duration_second_count'),
      now.value('fleet_engine_reconcile_count_total'),
    );
    for (const type of ['get', 'set', 'get_all'])
      assert.equal(
        now.value(`fleet_registry_operation_duration_second_count{ops="${type}"}`),
        now.value(operations(type)),
      );
  });

  test('a unit that fits nowhere is a failure to schedule; one that is let go is unscheduled', async () => {
    const earlier = await scrape();
    assert.equal(await put('b.service', { ...nowhere, desiredState: 'launched' }), 201);
    const blocked = await untilCounted('blocked', (now) => now.value(fitNowhere) > earlier.value(fitNowhere));
    assert.equal(blocked.value(schedules), earlier.value(schedules));
    assert.equal(await put('a.service', { desiredState: 'inactive' }), 204);
    const now = await untilCounted('let go', (later) => later.value(unschedules) > earlier.value(unschedules));
    assert.equal(now.value(unschedules) - earlier.value(unschedules), 1);
    assert.equal(now.value(schedules), earlier.value(schedules));
  });

  test('units and paths add nothing to what is told', async () => {
    await fetch(`${url}/fleet/v1/units/x.service`);
    await fetch(`${url}/no/such`);
    const { size } = (await scrape()).values;
    for (let index = 0; index < 20; index++) {
      await fetch(`${url}/fleet/v1/units/x@${index}.service`);
      await fetch(`${url}/no/such/${index}`);
    }
    const now = await scrape();
    assert.equal(now.values.size, size);
    assert.ok(now.sum('fleet_api_request_count_total', 'route="none"') >= 21);
  });

  test('it answers while etcd is away, and says that the lead is gone', async () => {
    const leading = await scrape();
    const startedS = leading.value('process_start_time_seconds');
    const sinceS = leading.value('fleet_engine_leader_start_time');
    assert.ok(sinceS >= startedS && sinceS <= systemClock.now() / 1000, `${sinceS}`);
    assert.equal(leading.value('fleet_engine_leading'), 1);
    await etcd.stop();
    const failed = 'fleet_registry_operation_failed_count_total';
    await fetch(`${url}/fleet/v1/units`);
    const now = await untilCounted('the lead is lost', (later) => later.value('fleet_engine_leading') === 0);
    assert.equal(now.value('fleet_engine_leader_start_time'), 0);
    assert.ok(now.sum(failed) > leading.sum(failed));
    await etcd.start();
    const again = await untilCounted('it leads again', (later) => later.value('fleet_engine_leading') === 1);
    assert.ok(again.value('fleet_engine_leader_start_time') > sinceS);
  });
});

describe('the check of the format', () => {
  const head = '# HELP a_total What\n# TYPE a_total counter\n';
  for (const [what, text] of [
    ['a last line without its end', `${head}a_total 1`],
    ['a TYPE without HELP', '# TYPE a_total counter\na_total 1\n'],
    ['a series twice', `${head}a_total{x="1",y="2"} 1\na_total{y="2",x="1"} 1\n`],
    ['a metric twice', `${head}a_total 1\n${head}a_total 2\n`],
    ['a sample of nobody', `${head}b_total 1\n`],
    ['what is no number', `${head}a_total NaN\n`],
    ['a label without quotes', `${head}a_total{x=1} 1\n`],
    ['a quote that is not escaped', `${head}a_total{x="a"b"} 1\n`],
    ['a histogram without its last bucket', '# HELP h W\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 1\nh_count 1\n'],
    [
      'a histogram that shrinks',
      '# HELP h W\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n',
    ],
  ] as const) {
    test(`finds ${what}`, () => assert.throws(() => Exposition.parse(text)));
  }
});
