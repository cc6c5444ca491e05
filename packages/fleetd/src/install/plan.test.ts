import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostPlaces, placesOfUser } from './places.js';
import { type FoundFile, type InstallInput, planInstall } from './plan-install.js';
import { planRemoval, planStop, uninstallPaths } from './plan-uninstall.js';
import { describeStep, type Step } from './steps.js';

const bytes = Buffer.from('fleetd');
const fresh: InstallInput = {
  places: hostPlaces,
  programs: new Map([['fleetd', bytes]]),
  node: undefined,
  sample: '# everything is explained here',
  found: new Map(),
  hasUnitDirectory: false,
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
    'make /etc/fleet/units',
    'write /etc/systemd/system/fleet.socket',
    'write /etc/systemd/system/fleet.service',
    'run systemctl daemon-reload',
    'run systemctl enable fleet.socket fleet.service',
    'run systemctl restart fleet.socket fleet.service',
  ]);
});

const account = { uid: 1500, name: 'ann', home: '/home/ann' };
const user = placesOfUser(
  {
    configHome: '/home/ann/.config',
    configFile: '/home/ann/.config/fleet/fleet.conf',
    unitDirectory: '/home/ann/.config/fleet/units',
    stateDirectory: '/home/ann/.local/state/fleet',
    runtimeDirectory: '/run/user/1500',
  },
  account,
);

test('a user gets it below the user’s directories, without a group, through the user’s own systemd', () => {
  const steps = planInstall({ ...fresh, places: user });
  assert.deepEqual(lines(steps), [
    'write /home/ann/.local/bin/fleetd',
    'write /home/ann/.config/fleet/fleet.conf',
    'make /home/ann/.config/fleet/units',
    'write /home/ann/.config/systemd/user/fleet.socket',
    'write /home/ann/.config/systemd/user/fleet.service',
    'run systemctl --user daemon-reload',
    'run systemctl --user enable fleet.socket fleet.service',
    'run systemctl --user restart fleet.socket fleet.service',
  ]);
  const text = (name: string) => after(steps).get(`/home/ann/.config/systemd/user/${name}`)?.content.toString() ?? '';
  assert.match(text('fleet.service'), /^ExecStart=\/home\/ann\/.local\/bin\/fleetd --user$/m);
  assert.match(text('fleet.socket'), /^ListenStream=\/run\/user\/1500\/fleet.sock\nSocketMode=0600$/m);
  assert.equal(after(steps).get(user.configFile)?.mode, 0o600);
});

test('what a user uninstalls and purges is the user’s own', () => {
  const present = new Set(uninstallPaths(user));
  const steps = [
    ...planStop(user, present),
    ...planRemoval({
      ...{ places: user, present, isPurging: true, hasUnitFiles: false },
      ...{ strays: ['a.service'], hasGroup: false },
    }),
  ];
  for (const step of steps) {
    if (step.kind === 'run') assert.deepEqual(step.argv.slice(0, 2), ['systemctl', '--user']);
    else assert.match(step.path, /^\/(home\/ann|run\/user\/1500)\//);
  }
});

test('a second installation writes nothing, and leaves the socket open while it restarts fleetd', () => {
  const steps = planInstall({ ...fresh, found: after(planInstall(fresh)), hasUnitDirectory: true });
  assert.deepEqual(
    steps.filter(({ kind }) => kind === 'write' || kind === 'make'),
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
  const removed = (isPurging: boolean, hasUnitFiles = false) =>
    planRemoval({ places: hostPlaces, present, isPurging, hasUnitFiles, strays: ['a.service'], hasGroup: true });
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
  assert.match(kept.pop() ?? '', /^keep a\.service: .*did not leave/);
  assert.deepEqual(
    kept,
    owned.map((path) => `keep ${path}: --purge removes it too`),
  );
  const purged = lines(removed(true));
  assert.equal(purged[0], 'run systemctl disable --runtime --now -- a.service');
  assert.deepEqual(purged.slice(-5), [...owned.map((path) => `remove ${path}`), 'run groupdel fleet']);
  const beside = lines(removed(true, true));
  assert.deepEqual(beside.slice(-6), [
    'remove /etc/fleet/fleet.conf',
    ...owned.slice(1).map((path) => `remove ${path}`),
    'keep /etc/fleet/units: it holds unit files of yours',
    'run groupdel fleet',
  ]);
});
