import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { opensslMissing, TestCertificates } from './certificates.js';
import { etcdMissing, TestEtcd } from './etcd.js';
import { FleetdProcess } from './fleetd-process.js';
import { EtcdUsers } from './gateway.js';

const prefix = '/_coreos.com/fleet';
const secret = { etcd_username: 'fleet', etcd_password: 'secret' };

/** Failures of one loop that go by before a line counts as not repeated. */
const failures = 4;

interface Wrong {
  readonly options: Readonly<Record<string, string>>;
  /** What the one line has to say: what is wrong, with what, what to do. */
  readonly says: readonly RegExp[];
  /** Makes it right; fleetd must find that out by itself. */
  readonly repair?: () => unknown;
}

describe('credentials that etcd or fleetd can do nothing with', {
  skip: etcdMissing() ?? opensslMissing() ?? false,
}, () => {
  const directory = mkdtempSync(join(tmpdir(), 'flotilla-credentials-'));
  const [own, foreign] = [new TestCertificates(), new TestCertificates()];
  own.issue('expired', { days: -1 });
  // etcd's JSON gateway takes no client certificate with a common name.
  own.issue('nameless', { subject: '/O=test' });
  let open: TestEtcd;
  let guarded: TestEtcd;
  let both: TestEtcd;
  let users: EtcdUsers;
  before(async () => {
    const cheap = ['--bcrypt-cost=4'];
    const tls = { ca: own.path('ca.crt'), cert: own.path('server.crt'), key: own.path('server.key') };
    [open, guarded, both] = await Promise.all([
      TestEtcd.start({ extraArguments: cheap }),
      TestEtcd.start({ tls, extraArguments: cheap }),
      TestEtcd.start({ tls, extraArguments: cheap }),
    ]);
    users = await EtcdUsers.enable(open.url, [prefix]);
    const access = { tls: { ca: own.read('ca.crt'), cert: own.read('nameless.crt'), key: own.read('nameless.key') } };
    await EtcdUsers.enable(both.url, [prefix], access);
  });
  after(async () => {
    await Promise.all([open, guarded, both].map((etcd) => etcd?.remove()));
    for (const each of [own, foreign]) each.remove();
    rmSync(directory, { recursive: true });
  });

  /** Puts a certificate or a key where fleetd finds it, the way certbot does. */
  function place(name: string, from: string): string {
    const path = join(directory, name);
    copyFileSync(from, `${path}.new`);
    renameSync(`${path}.new`, path);
    return path;
  }
  const certificates = (test: string, ca: TestCertificates, client: TestCertificates, name = 'client') => ({
    etcd_cafile: place(`${test}.ca`, ca.path('ca.crt')),
    etcd_certfile: place(`${test}.crt`, client.path(`${name}.crt`)),
    etcd_keyfile: place(`${test}.key`, client.path(`${name}.key`)),
  });
  const isPutRight = (test: string) => () => certificates(test, own, own);

  const table: Readonly<Record<string, () => Wrong>> = {
    'an authority that did not sign the certificate of etcd': () => ({
      options: { etcd_servers: guarded.url, ...certificates('authority', foreign, own) },
      says: [/no authority that is trusted here/, /endpoint=https:\/\/localhost/, /etcd_cafile=\S*authority.ca/],
      repair: isPutRight('authority'),
    }),
    'a client certificate of another authority': () => ({
      options: { etcd_servers: guarded.url, ...certificates('foreign', own, foreign) },
      says: [/does not accept the client certificate/, /etcd_certfile=\S*foreign.crt/, /--trusted-ca-file/],
      repair: isPutRight('foreign'),
    }),
    'a client certificate whose time is over': () => ({
      options: { etcd_servers: guarded.url, ...certificates('expired', own, own, 'expired') },
      says: [/client certificate for etcd has expired/, /etcd_certfile=\S*expired.crt/, /renew it/],
      repair: isPutRight('expired'),
    }),
    'no client certificate where etcd wants one': () => ({
      options: { etcd_servers: guarded.url, etcd_cafile: own.path('ca.crt') },
      says: [/wants a client certificate, and none is configured/, /set etcd_certfile and etcd_keyfile/],
    }),
    'http to an etcd with TLS': () => ({
      options: { etcd_servers: guarded.url.replace('https', 'http') },
      says: [/hangs up at once; it seems to want TLS/, /endpoint=http:\/\/localhost/, /https:\/\/ instead/],
    }),
    'https to an etcd without TLS': () => ({
      options: {
        etcd_servers: open.url.replace('http://127.0.0.1', 'https://localhost'),
        etcd_cafile: own.path('ca.crt'),
      },
      says: [/does not speak TLS there/, /endpoint=https:\/\/localhost/, /http:\/\/ instead/],
    }),
    'a wrong password': () => ({
      options: { etcd_servers: open.url, ...secret, etcd_password: 'guess' },
      says: [/does not know this user with this password/, /etcd_username=fleet/, /see etcd_username/],
      repair: async () => {
        await users.setPassword('fleet', 'guess');
      },
    }),
    'a user that etcd does not have': () => ({
      options: { etcd_servers: open.url, ...secret, etcd_username: 'late' },
      says: [/does not know this user with this password/, /etcd_username=late/],
      repair: async () => {
        await users.addUser('late');
        await users.grant('late', prefix);
      },
    }),
    'a user without rights on the prefix': () => ({
      options: { etcd_servers: open.url, ...secret, etcd_username: 'poor', etcd_key_prefix: '/poor' },
      says: [/does not let its user read/, /etcd_username=poor/, /etcd_key_prefix=\/poor\//, /grant-permission/],
      repair: () => users.grant('poor', '/poor'),
    }),
    'a user who may only read': () => ({
      options: { etcd_servers: open.url, ...secret, etcd_username: 'reader', etcd_key_prefix: '/reader' },
      says: [/does not let its user write/, /etcd_username=reader/],
      repair: () => users.grant('reader', '/reader'),
    }),
    'certificates that are right, and a wrong password': () => ({
      options: { etcd_servers: both.url, ...certificates('both', own, own), ...secret, etcd_password: 'guess' },
      says: [/does not know this user with this password/, /endpoint=https/],
    }),
    'a password that is right, and a foreign certificate': () => ({
      options: { etcd_servers: both.url, ...certificates('both2', own, foreign), ...secret },
      says: [/does not accept the client certificate/],
      repair: isPutRight('both2'),
    }),
    'no user where etcd wants one': () => ({
      options: { etcd_servers: open.url },
      says: [/wants a user, and none is configured/, /set etcd_username/],
      repair: () => users.disable(),
    }),
  };

  before(async () => {
    for (const name of ['poor', 'reader']) await users.addUser(name);
    await users.grant('reader', '/reader', 'READ');
  });

  for (const [what, wrong] of Object.entries(table))
    it(`${what}: one line says so, and fleetd goes on as soon as it is put right`, async () => {
      const { options, says, repair } = wrong();
      const fleetd = new FleetdProcess(options);
      try {
        await fleetd.untilSaid(/^DEBUG (snapshot|pass) failed/, failures);
        assert.equal(fleetd.complaints.length, 1, fleetd.complaints.join('\n'));
        for (const part of says) assert.match(fleetd.complaints[0] ?? '', part);
        if (repair === undefined) return;
        await repair();
        await fleetd.untilSaid(/Engine leadership acquired/);
        await fleetd.untilSaid(/^INFO etcd answers again/);
        assert.equal(fleetd.complaints.length, 1, fleetd.complaints.join('\n'));
      } finally {
        await fleetd.remove();
      }
    });

  it('all loops of a fleetd with an agent tell it in one line', async () => {
    const fleetd = new FleetdProcess({ etcd_servers: 'http://127.0.0.1:1', disable_agent: 'false' });
    try {
      await fleetd.untilSaid(/loop=registration/, 2);
      await fleetd.untilSaid(/^DEBUG snapshot failed/, failures);
      // The machine of the tests need not have systemd and its bus.
      const complaints = fleetd.complaints.filter((line) => !line.includes('D-Bus can not be reached'));
      assert.equal(complaints.length, 1, complaints.join('\n'));
      assert.match(complaints[0] ?? '', /etcd can not be reached endpoint=http:\/\/127.0.0.1:1 .*ECONNREFUSED/);
    } finally {
      await fleetd.remove();
    }
  });

  const unusable: Readonly<Record<string, readonly [Readonly<Record<string, string>>, RegExp]>> = {
    'a key that is not the certificate’s': [
      { etcd_certfile: own.path('client.crt'), etcd_keyfile: own.path('server.key') },
      /etcd_keyfile: \S*server.key is not the key of the certificate in \S*client.crt/,
    ],
    'a certificate without a key': [
      { etcd_certfile: own.path('client.crt') },
      /etcd_certfile and etcd_keyfile go together/,
    ],
    'a file that is not there': [{ etcd_cafile: '/nowhere/ca.crt' }, /etcd_cafile: ENOENT.*\/nowhere\/ca.crt/],
    'a file that is cut short': [{ etcd_cafile: cutShort() }, /etcd_cafile: \S*cut.crt holds no certificate/],
  };
  function cutShort(): string {
    const path = join(directory, 'cut.crt');
    writeFileSync(path, own.read('ca.crt').subarray(0, 200));
    return path;
  }
  for (const [what, [options, says]] of Object.entries(unusable))
    it(`${what} at the start: one line says so, and fleetd ends`, async () => {
      const fleetd = new FleetdProcess({ etcd_servers: 'https://localhost:1', ...options });
      try {
        assert.equal(await fleetd.untilExit(), 1);
        assert.equal(fleetd.complaints.length, 1, fleetd.complaints.join('\n'));
        assert.match(fleetd.complaints[0] ?? '', says);
      } finally {
        await fleetd.remove();
      }
    });
});
