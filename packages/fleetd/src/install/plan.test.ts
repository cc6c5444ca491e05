import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostPlaces } from './places.js';
import { type FoundFile, type InstallInput, planInstall } from './plan-install.js';
import { planRemoval, planStop, uninstallPaths } from './plan-uninstall.js';
import { describeStep, type Step } from './steps.js';

const bytes = Buffer.from('fleetd');
const fresh: InstallInput = {
  places: hostPlaces,
  programs: new Map([['fleetd', bytes]]),
  node: undefined,
  found: new Map(),
  isStarting: true,
};

/** What the host has once a plan is carried out. */
function after(steps: readonly Step[]): Map<string, FoundFile> {
  return new Map(steps.flatMap((step) => (step.kind === 'write' ? [[step.path, step] as const] : [])));
}

const lines = (steps: readonly Step[]) => steps.map(describeStep);

test('a host without fleetd gets all of it, and the group before the socket that needs it', () => {
  assert.deepEqual(lines(planInstall(fresh)), [
    'write /usr/local/bin/fleetd',
    'write /etc/sysusers.d/fleet.conf',
    'run systemd-sysusers /etc/sysusers.d/fleet.conf',
    'write /etc/fleet/fleet.conf',
    'write /etc/systemd/system/fleet.socket',
    'write /etc/systemd/system/fleet.service',
    'run systemctl daemon-reload',
    'run systemctl enable fleet.socket fleet.service',
    'run systemctl restart fleet.socket fleet.service',
  ]);
});

test('a second installation writes nothing, and leaves the socket open while it restarts fleetd', () => {
  const steps = planInstall({ ...fresh, found: after(planInstall(fresh)) });
  assert.deepEqual(
    steps.filter(({ kind }) => kind === 'write'),
    [],
  );
  assert.equal(lines(steps).at(-1), 'run systemctl restart fleet.service');
});

test('a file of another content or mode is written again, but for the configuration', () => {
  const found = after(planInstall(fresh));
  for (const [path, file] of found) found.set(path, { content: Buffer.from('old'), mode: file.mode });
  const changed = planInstall({ ...fresh, found }).filter(({ kind }) => kind === 'write');
  assert.deepEqual(
    lines(changed),
    ['/usr/local/bin/fleetd', '/etc/sysusers.d/fleet.conf']
      .concat(['socket', 'service'].map((kind) => `/etc/systemd/system/fleet.${kind}`))
      .map((path) => `write ${path}`),
  );
  const unusable = new Map([['/usr/local/bin/fleetd', { content: bytes, mode: 0o644 }]]);
  assert.equal(lines(planInstall({ ...fresh, found: unusable }))[0], 'write /usr/local/bin/fleetd');
});

test('nothing is started if that is not wanted', () => {
  const starts = lines(planInstall({ ...fresh, isStarting: false })).filter((line) => /start/.test(line));
  assert.deepEqual(starts, []);
});

test('a Node that services would not find is named in the unit', () => {
  const service = (node: string | undefined) =>
    after(planInstall({ ...fresh, node }))
      .get('/etc/systemd/system/fleet.service')
      ?.content.toString();
  assert.match(service('/opt/node/node') ?? '', /^ExecStart=\/opt\/node\/node \/usr\/local\/bin\/fleetd$/m);
  assert.match(service(undefined) ?? '', /^ExecStart=\/usr\/local\/bin\/fleetd$/m);
});

test('the host’s own etcd is stopped after fleetd, which writes there that it leaves', () => {
  const present = new Set(uninstallPaths(hostPlaces));
  assert.deepEqual(lines(planStop(hostPlaces, present)), [
    'run systemctl disable --now fleet.socket fleet.service',
    'run systemctl stop fleet-etcd.service',
  ]);
  assert.deepEqual(planStop(hostPlaces, new Set()), []);
});

test('all that an installation has written is removed; what is the owner’s goes with a purge only', () => {
  const present = new Set(uninstallPaths(hostPlaces));
  const removed = (isPurging: boolean) =>
    planRemoval({ places: hostPlaces, present, isPurging, strays: ['a.service'], hasGroup: true });
  const paths = removed(false).flatMap((step) => (step.kind === 'remove' ? [step.path] : []));
  for (const path of after(planInstall(fresh)).keys())
    assert.equal(paths.includes(path), !path.startsWith('/etc/fleet/'));
  const kept = lines(removed(false)).filter((line) => line.startsWith('keep '));
  const owned = [
    '/etc/fleet',
    '/etc/systemd/system/fleet.socket.d',
    '/etc/systemd/system/fleet.service.d',
    '/var/lib/fleet',
  ];
  assert.deepEqual(
    kept,
    owned.map((path) => `keep ${path}: --purge removes it too`),
  );
  const purged = lines(removed(true));
  assert.equal(purged[0], 'run systemctl disable --runtime --now -- a.service');
  assert.deepEqual(purged.slice(-5), [...owned.map((path) => `remove ${path}`), 'run groupdel fleet']);
});
