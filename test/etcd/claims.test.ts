import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type MachineId, parseMachineId } from '@flotilla/cluster';
import {
  type ClaimChange,
  changeClaims,
  joinDirectory,
  newDirectoryHost,
  ranges,
  readOwnedUnits,
  removeDirectoryHost,
  type Store,
} from '@flotilla/registry';
import { silentLogger } from '@flotilla/runtime';
import { parseOwnerName, parseUnitName, type UnitName } from '@flotilla/unit';
import { isLong } from '../lab/index.js';
import { etcdMissing, TestEtcd } from './etcd.js';
import { contentOf, sleeper } from './etcd-host.js';
import { openStore } from './test-stores.js';

const rounds = isLong ? 200 : 6;

const owner = parseOwnerName('local');
const row = newDirectoryHost('', true);
const names = Array.from({ length: 30 }, (_, at) => parseUnitName(`unit${at}.service`));
const hold: ClaimChange = {
  kind: 'hold',
  content: contentOf(sleeper),
  desiredState: 'launched',
  source: 'unit.service',
};
const drop: ClaimChange = { kind: 'drop' };

describe('hosts that claim the same units at the same time', { skip: etcdMissing() ?? false }, () => {
  let etcd: TestEtcd;
  before(async () => {
    etcd = await TestEtcd.start();
  });
  after(() => etcd.remove());

  /** Three hosts; how often each unit was created, and not destroyed again, as they were told. */
  function setUp(prefix: string) {
    const living = new Map<UnitName, number>();
    const hosts = ['a', 'b', 'c'].map((digit) => {
      const claimant = parseMachineId(digit.repeat(32));
      const store = openStore({ hosts: [etcd.url], prefix });
      return {
        claimant,
        store,
        change: (changes: ReadonlyMap<UnitName, ClaimChange>) => act(store, claimant, changes),
      };
    });
    async function act(store: Store, claimant: MachineId, changes: ReadonlyMap<UnitName, ClaimChange>) {
      const access = { store, log: silentLogger };
      await joinDirectory(access, { owner, claimant }, row);
      for (const [name, result] of await changeClaims(access, { owner, claimant }, changes)) {
        assert.equal(result.kind, 'settled', `${name}: ${result.kind === 'failed' ? String(result.error) : ''}`);
        const { outcome } = result.kind === 'settled' ? result : { outcome: undefined };
        assert.notEqual(outcome, 'rivals');
        const step = outcome === 'created' ? 1 : outcome === 'destroyed' ? -1 : 0;
        living.set(name, (living.get(name) ?? 0) + step);
      }
      // Of a host that claims nothing the row goes, and the next claim has it join once more.
      await removeDirectoryHost(access, { owner, claimant });
    }
    return { living, hosts };
  }

  it('destroy each unit once, when all are done with it', async () => {
    const { hosts, living } = setUp('claims/all');
    const all = (change: ClaimChange) => new Map(names.map((name) => [name, change]));
    for (let round = 0; round < rounds; round++) {
      for (const { change } of hosts) await change(all(hold));
      assert.deepEqual(
        [...living.values()],
        names.map(() => 1),
      );
      await Promise.all(hosts.map(({ change }) => change(all(drop))));
      assert.deepEqual(
        [...living.values()],
        names.map(() => 0),
      );
      await check(hosts[0]?.store, living);
    }
  });

  it('leave a unit if and only if one of them claims it', async () => {
    const { hosts, living } = setUp('claims/some');
    for (let round = 0; round < rounds; round++) {
      await Promise.all(
        hosts.map(({ change }, host) => {
          // Each host goes through all eight ways to drop some and hold others, at a pace of its own.
          const wants = (at: number) => ((round * (host + 1) + at) >> host) % 2 === 0;
          return change(new Map(names.map((name, at) => [name, wants(at) ? hold : drop])));
        }),
      );
      await check(hosts[0]?.store, living);
    }
  });

  async function check(store: Store | undefined, living: ReadonlyMap<UnitName, number>): Promise<void> {
    if (store === undefined) return;
    const access = { store, log: silentLogger };
    const claimed = (await readOwnedUnits(access, owner)).map(({ name }) => name);
    const { kvs } = await store.range({ ...ranges.units, keysOnly: true });
    assert.deepEqual(
      kvs.map(({ key }) => key.slice('units/'.length)),
      claimed,
    );
    assert.deepEqual([...living].flatMap(([name, count]) => (count === 1 ? [name] : [])).sort(), claimed);
  }
});
