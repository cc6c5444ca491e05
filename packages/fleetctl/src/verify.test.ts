import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { ended, openBench } from './testing/process.js';

const web = '[Service]\nExecStart=/bin/sleep 100\n';
const noPrograms = { PATH: '/nowhere' };
const notAsked = "systemd's own checker did not look at these files: systemd-analyze is not installed here\n";

/** Runs it where systemd's checker is not installed. */
async function bareBench(context: Parameters<typeof openBench>[0]) {
  const bench = await openBench(context);
  const verify = (...words: readonly string[]) => ended(bench.spawn(['verify', ...words], noPrograms));
  return { ...bench, verify };
}

test('every file has its verdict, and every error of every file is told with its place, without a cluster', async (context) => {
  const { api, verify, write } = await bareBench(context);
  await write('units/web.service', web);
  await write(
    'units/bad.service',
    `${web}[X-Fleet]\nMachineId=a\nGlobal=true\nMachineMetadata=cores>=many\nMachineOf=web.service\nReplaces=[\n`,
  );
  await write('units/torn.service', '[Service]\nExecStart\n');
  await write('units/empty.service', '# nothing\n');
  await write('units/notes.conf', web);
  const files = ['web', 'bad', 'torn', 'empty', 'missing'].map((name) => `units/${name}.service`);
  const { stdout, stderr, exitCode } = await verify(...files, 'units/notes.conf', 'n');
  assert.equal(
    stdout,
    'units/web.service: ok\nunits/bad.service: 4 errors\nunits/torn.service: 1 error\nunits/empty.service: 1 error\n' +
      'units/missing.service: 1 error\nunits/notes.conf: 1 error\nn.service: 1 error\n',
  );
  assert.deepEqual(stderr.split('\n'), [
    'Error: units/bad.service:4: [X-Fleet] MachineId= is not a known option; did you mean MachineID=?',
    'Error: units/bad.service:6: [X-Fleet] MachineMetadata= compares with "many", which is not a number: "cores>=many"',
    'Error: units/bad.service:7: [X-Fleet] MachineOf= may not be combined with Global=: Global cannot be used with Peers',
    'Error: units/bad.service:8: [X-Fleet] Replaces= has a malformed glob: "["',
    'Error: units/torn.service:2: [Service] unexpected newline encountered while parsing option name "ExecStart"',
    'Error: units/empty.service: the file has no options',
    'Error: units/missing.service: there is no such file',
    'Error: units/notes.conf: invalid unit type: "conf"',
    'Error: n.service: there is no such file',
    notAsked.trim(),
    '',
  ]);
  assert.equal(exitCode, 1);
  assert.deepEqual(api.requests, []);
});

test('folders and patterns stand for the unit files that they have', async (context) => {
  const { verify, write } = await bareBench(context);
  for (const name of ['b.service', 'a.timer', 'c@.service', 'README.md', 'old/d.service'])
    await write(`units/${name}`, web);
  for (const folder of ['units', 'units/'])
    assert.deepEqual(await verify(folder, 'units/b.service'), {
      stdout: 'units/a.timer: ok\nunits/b.service: ok\nunits/c@.service: ok\n',
      stderr: notAsked,
      exitCode: 0,
    });
  assert.equal((await verify('units/*.service')).stdout, 'units/b.service: ok\nunits/c@.service: ok\n');
  const none = await verify('units/x*', 'nowhere/');
  assert.match(none.stderr, /^Error: units\/x\*: there is no unit file\nError: nowhere\/: there is no unit file\n/);
  assert.equal(none.exitCode, 1);
});

test('a name without a type is that of a service, as for other commands', async (context) => {
  const { verify, write } = await bareBench(context);
  await write('web@.service', web);
  await write('report.timer', '[Timer]\nOnCalendar=daily\n');
  const { stdout, exitCode } = await verify('web@', 'web@1', 'report');
  assert.equal(stdout, 'web@.service: ok\nweb@1.service: ok\nreport.service: 1 error\n');
  assert.equal(exitCode, 1);
});

test('an instance is checked as what its template makes of it', async (context) => {
  const { verify, write } = await bareBench(context);
  await write('web@.service', `${web}[X-Fleet]\nMachineOf=db@%i.service\nConflicts=db@2.service\n`);
  const { stdout, stderr, exitCode } = await verify('web@.service', 'web@1.service', 'web@2.service');
  assert.equal(stdout, 'web@.service: ok\nweb@1.service: ok\nweb@2.service: 1 error\n');
  assert.match(stderr, /^Error: web@\.service:4: \[X-Fleet\] MachineOf= has unresolvable requirements: .*\n/);
  assert.equal(exitCode, 1);
});

test('options that are ignored and look like ours are warned about', async (context) => {
  const { verify, write } = await bareBench(context);
  await write('web.service', `${web}[X-Fleet]\nX-Replaces=old.service\nX-Owner=me\n[X-fleet]\nGlobal=true\n`);
  const { stdout, stderr, exitCode } = await verify('web.service');
  assert.deepEqual([stdout, exitCode], ['web.service: ok, 2 warnings\n', 0]);
  const warnings =
    'Warning: web.service:4: [X-Fleet] X-Replaces= is ignored; did you mean Replaces=?\n' +
    'Warning: web.service:7: [X-fleet] is ignored; did you mean [X-Fleet]?\n';
  assert.equal(stderr, warnings + notAsked);
});

test('with --allow-unknown, an option that is not known is a warning', async (context) => {
  const { fleetctl, write } = await openBench(context);
  await write('web.service', `${web}[X-Fleet]\nGlobl=true\nGlobal=maybe\n`);
  const strict = await fleetctl('verify', 'web.service');
  assert.match(strict.stderr, /^Error: web\.service:4: \[X-Fleet\] Globl= is not a known option/);
  const { stderr, exitCode } = await fleetctl('verify', '--allow-unknown', 'web.service');
  assert.match(
    stderr,
    /^Warning: web\.service:4: \[X-Fleet\] Globl= is ignored; did you mean Global=\?\nError: web\.service:5: /,
  );
  assert.equal(exitCode, 1);
});

test('where copies can not be written, systemd is left out, and the rest is checked', async (context) => {
  const { spawn, write } = await openBench(context);
  await write('web.service', web);
  const { stdout, stderr, exitCode } = await ended(spawn(['verify', 'web'], { TMPDIR: '/nowhere' }));
  assert.deepEqual([stdout, exitCode], ['web.service: ok\n', 0]);
  assert.match(stderr, /^systemd's own checker did not look at these files: nothing can be written to \/nowhere\n$/);
});

test('programs get it as JSON', async (context) => {
  const { verify, write } = await bareBench(context);
  await write('bad.service', `${web}[X-Fleet]\nStrategy=fullest\n`);
  const { stdout, stderr, exitCode } = await verify('-o', 'json', 'bad.service');
  assert.deepEqual([stderr, exitCode], ['', 1]);
  const place = { line: 4, section: 'X-Fleet', option: 'Strategy' };
  const message = 'bad.service:4: [X-Fleet] Strategy= is none of spread, binpack, random: "fullest"';
  const problems = [{ severity: 'error', checker: 'fleetctl', ...place, message }];
  assert.deepEqual(JSON.parse(stdout), {
    files: [{ path: 'bad.service', unit: 'bad.service', isGood: false, problems }],
    systemd: { isAsked: false, why: 'systemd-analyze is not installed here' },
  });
});

test('without files it is a wrong command line; its help explains it', async (context) => {
  const { fleetctl } = await openBench(context);
  const bare = await fleetctl('verify');
  assert.deepEqual([bare.stderr.split('\n')[0], bare.exitCode], ['Error: No unit files given', 64]);
  const { stdout, exitCode } = await fleetctl('verify', '--help');
  assert.equal(exitCode, 0);
  assert.match(stdout, /USAGE:\n {2}fleetctl verify \[flags\] FILE\.\.\./);
  assert.match(stdout, /fleetctl verify units\//);
});

const hasAnalyzer = spawnSync('systemd-analyze', ['--version']).status === 0;

test('systemd is asked too', { skip: !hasAnalyzer && 'no systemd-analyze here' }, async (context) => {
  const { spawn, write } = await openBench(context);
  const verify = (...words: readonly string[]) => ended(spawn(['verify', ...words], { PATH: process.env.PATH ?? '' }));
  await write('good/web.service', web);
  await write('good/side@.service', `[Unit]\nBindsTo=web.service\nAfter=web.service\n${web}`);
  assert.deepEqual(await verify('good'), {
    stdout: 'good/side@.service: ok\ngood/web.service: ok\n',
    stderr: '',
    exitCode: 0,
  });
  await write('bad/web.service', '[Service]\nExecStrat=/bin/true\n');
  await write('bad/side@.service', '[Service]\nType=simple\n');
  await write(
    'odd/far.service',
    '[Unit]\nRequires=flotilla-elsewhere.service\n[Service]\nExecStart=/flotilla/missing\n',
  );
  const { stdout, stderr, exitCode } = await verify('good/web.service', 'bad', 'bad/side@1.service', 'odd');
  assert.match(
    stdout,
    /^good\/web.service: ok\nbad\/side@.service: 1 error\nbad\/web.service: 1 error, 1 warning\nbad\/side@1.service: 1 error\nodd\/far.service: ok, \d warnings?\n$/,
  );
  assert.match(stderr, /^Warning: bad\/web\.service:2: systemd: Unknown .*'ExecStrat'/m);
  assert.match(stderr, /^Error: bad\/side@\.service: systemd: .*ExecStart=.* Refusing\.$/m);
  assert.match(stderr, /^Warning: odd\/far\.service: systemd: .*flotilla-elsewhere\.service/m);
  assert.doesNotMatch(stderr, /good|\/tmp\/|did not look/);
  assert.equal(exitCode, 1);
});
