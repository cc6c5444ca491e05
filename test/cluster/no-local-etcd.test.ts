import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { localEtcdUnit } from '@flotilla/local-etcd';
import {
  createLab,
  installFleet,
  type Lab,
  labObstacle,
  showProperty,
  type TestHost,
  waitUntil,
} from '../lab/index.js';

/** An etcd that somebody else has started, where people have it. */
const clients = 'http://127.0.0.1:2379';
const peers = 'http://127.0.0.1:2380';
const urls = [`--listen-client-urls=${clients}`, `--advertise-client-urls=${clients}`, `--listen-peer-urls=${peers}`];
const member = [`--initial-advertise-peer-urls=${peers}`, `--initial-cluster=default=${peers}`];
const other = ['/usr/bin/etcd', '--data-dir=/root/other', ...urls, ...member].join(' ');

describe('a host that gets no etcd of its own', { skip: labObstacle() }, () => {
  let lab: Lab;
  let host: TestHost;

  before(async () => {
    lab = await createLab({ name: `no-own-etcd-${process.pid}`, hosts: 1, etcdMembers: 0 });
    const [first] = lab.hosts;
    assert.ok(first);
    host = first;
    await installFleet(host, { embedded_etcd: 'never' });
  });

  after(() => lab.close());

  const sh = (script: string) => host.mustExec(['sh', '-e', '-c', script]);

  const cases: readonly (readonly [title: string, config: string, prepare: string, said: RegExp])[] = [
    [
      'etcd_servers is set',
      'etcd_servers = http://127.0.0.1:7',
      '',
      /Establishing etcd .*servers=\["http:\/\/127.0.0.1:7"\]/,
    ],
    ['embedded_etcd is never', 'embedded_etcd = never', '', /not starting one, because embedded_etcd is never/],
    [
      'etcd is enabled as a service',
      '',
      'printf "[Service]\nExecStart=true\n[Install]\nWantedBy=multi-user.target\n" > /etc/systemd/system/etcd.service; systemctl enable etcd.service',
      /not starting one, because etcd.service is enabled here/,
    ],
    [
      'it belongs to another store',
      '',
      `echo '{"cluster":"0-1","revision":9,"units":{}}' > /var/lib/fleet/assignment.json`,
      /because this machine has another store already: .* names cluster 0-1/,
    ],
    [
      'it has left the cluster of another store',
      '',
      'echo http://10.0.0.1:2379 > /var/lib/fleet/other-store',
      /because this machine has another store already: .* names http:\/\/10.0.0.1:2379/,
    ],
    [
      'its own etcd was given up',
      '',
      `mkdir -p /var/lib/fleet/etcd/data`,
      /because \/var\/lib\/fleet\/etcd holds a store that is no longer in use/,
    ],
    [
      'embedded_etcd is never, and takes no other user’s listener for an etcd',
      'embedded_etcd = never',
      `systemd-run --uid=nobody --unit=stranger /opt/node/node -e 'require("net").createServer().listen(2379, "127.0.0.1")'
       until ss --listening --tcp --no-header | grep -q :2379; do sleep 0.1; done`,
      /belongs to another user, and is not used endpoint=http:\/\/127.0.0.1:2379 why=.*belongs to user 65534/,
    ],
    [
      'an etcd answers',
      '',
      `systemctl stop stranger; printf '[Service]\\nType=notify\\nExecStart=${other}\\n' > /etc/systemd/system/other.service; systemctl start other.service`,
      /using the one that answers at=http:\/\/127.0.0.1:2379/,
    ],
  ];

  for (const [title, config, prepare, said] of cases) {
    it(`because ${title}`, async () => {
      // Killed: it has nothing to leave, and no store to tell.
      await host.exec(['systemctl', 'kill', '--signal=SIGKILL', 'fleet.service']);
      await host.mustExec(['systemctl', 'stop', 'fleet.service', 'fleet.socket']);
      await sh('systemctl disable etcd.service; rm -rf /var/lib/fleet /etc/systemd/system/etcd.service');
      await sh('mkdir -p /var/lib/fleet');
      await sh(prepare);
      await host.writeFile('/etc/fleet/fleet.conf', `${config}\n`);
      await host.mustExec(['systemctl', 'start', 'fleet.service']);
      const id = await showProperty(host, 'fleet.service', 'InvocationID');
      await waitUntil({
        what: 'fleetd says what it has decided',
        read: () => host.mustExec(['journalctl', '-o', 'cat', `_SYSTEMD_INVOCATION_ID=${id}`]),
        until: (text) => said.test(text),
      });
      assert.notEqual((await host.exec(['systemctl', 'cat', localEtcdUnit])).code, 0);
    });
  }
});
