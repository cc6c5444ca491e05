import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { isLong, waitUntil } from '../lab/index.js';
import { etcdMissing, TestEtcd } from './etcd.js';
import { FleetdProcess } from './fleetd-process.js';

/** Nobody listens there. */
const nowhere = 'http://127.0.0.1:1';

/** Takes what a host says, and answers nothing: no route leads there. */
const silence = 'http://192.0.2.1:2379';

describe('the life of a fleetd', { skip: etcdMissing() ?? false }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'flotilla-life-'));
  let etcd: TestEtcd;

  before(async () => {
    etcd = await TestEtcd.start();
  });

  after(async () => {
    await etcd.remove();
    rmSync(directory, { recursive: true });
  });

  const socket = (name: string) => join(directory, `${name}.sock`);

  /** A fleetd with a configuration file. */
  const start = (t: TestContext, text: string, options: Readonly<Record<string, string>> = {}) => {
    const fleetd = new FleetdProcess(options, text);
    t.after(() => fleetd.remove());
    return fleetd;
  };

  const configuration = (name: string, ...lines: readonly string[]) =>
    [`etcd_servers = ${etcd.url}`, `listen = unix://${socket(name)}`, ...lines, ''].join('\n');

  const untilLeading = (fleetd: FleetdProcess, count = 1) =>
    fleetd.untilSaid(/^INFO Engine leadership acquired/, count);

  it('says in its log what people look for', async (t) => {
    const fleetd = start(t, configuration('lines'));
    await untilLeading(fleetd);
    fleetd.configure(configuration('lines', 'token_limit = 7'));
    fleetd.signal('SIGHUP');
    await untilLeading(fleetd, 2);
    fleetd.configure(configuration('lines', 'disable_engine = true'));
    fleetd.signal('SIGHUP');
    await fleetd.untilSaid(/^INFO Not starting engine; disable-engine is set$/);
    fleetd.signal('SIGUSR1');
    await fleetd.untilSaid(/^INFO Dumping server state$/);
    fleetd.signal('SIGTERM');
    assert.equal(await fleetd.untilExit(), 0);
    const once = [
      /^INFO Using provided config file .+fleet\.conf$/,
      /^INFO Starting fleetd version \d/,
      /^INFO Establishing etcd connectivity /,
      /^INFO Starting server components$/,
      /^INFO Engine leadership acquired /,
    ];
    const again = [
      /^INFO Reloading configuration from .+fleet\.conf$/,
      /^INFO Using provided config file .+fleet\.conf$/,
      /^INFO Restarting server components$/,
      /^INFO Establishing etcd connectivity /,
      /^INFO Starting server components$/,
    ];
    const end = [/^INFO Not starting engine/, /^INFO Dumping server state$/, /^INFO Gracefully shutting down /];
    assertInOrder(fleetd.lines, [...once, ...again, ...again, ...end]);
    assert.deepEqual(Object.keys(JSON.parse(fleetd.stdout) as object), [
      'Agent',
      'UnitStatePublisher',
      'UnitStateGenerator',
      'Directories',
    ]);
    assert.deepEqual(fleetd.complaints, []);
  });

  it('serves its API from the first moment, whatever its etcd does', async (t) => {
    for (const [index, servers] of [nowhere, silence].entries()) {
      const path = socket(`early-${index}`);
      const fleetd = start(t, `etcd_servers = ${servers}\nlisten = unix://${path}\n`);
      await fleetd.untilSaid(/^INFO serving the API/);
      assert.equal((await ask(path, '/healthz')).status, 200);
      const { status, body } = await ask(path, '/fleet/v1/machines');
      assert.deepEqual([status, JSON.parse(body)], [503, away]);
      fleetd.signal('SIGTERM');
      assert.equal(await fleetd.untilExit(), 0);
    }
  });

  it('goes over to another etcd, and back to defaults, at a SIGHUP', async (t) => {
    const path = socket('other');
    const fleetd = start(t, `etcd_servers = ${nowhere}\nverbosity = 1\nlisten = unix://${path}\n`);
    await fleetd.untilSaid(/^ERROR etcd can not be reached/);
    fleetd.configure(configuration('other'));
    fleetd.signal('SIGHUP');
    await untilLeading(fleetd);
    assert.equal((await ask(path, '/fleet/v1/machines')).status, 200);
    const again = fleetd.lines.findLastIndex((line) => line === 'INFO Starting server components');
    const isDebugging = (lines: readonly string[]) => lines.some((line) => line.startsWith('DEBUG '));
    assert.deepEqual(
      [isDebugging(fleetd.lines.slice(0, again)), isDebugging(fleetd.lines.slice(again))],
      [true, false],
    );
  });

  it('keeps what it has if the file can not be used, and says where the mistake is', async (t) => {
    const path = socket('kept');
    const fleetd = start(t, configuration('kept'));
    await untilLeading(fleetd);
    const file = fleetd.configFile;
    execFileSync('mkfifo', [join(directory, 'pipe')]);
    const mistakes: readonly (readonly [line: string, said: string])[] = [
      ['no option', `${file}:6: `],
      ['agent_ttl = soon', `${file}:6: agent_ttl is "soon"`],
      [
        `etcd_cafile = ${directory}/none.pem`,
        `etcd_cafile: ENOENT: no such file or directory, open '${directory}/none.pem'`,
      ],
      [`etcd_cafile = ${directory}/pipe`, `etcd_cafile: ${directory}/pipe is not a regular file`],
      [`etcd_cafile = ${file}`, `etcd_cafile: ${file} holds no certificate`],
      [`state_directory = ${file}/none`, 'state_directory: ENOTDIR'],
      ['state_directory = /proc/none', `${file}:6: state_directory is "/proc/none"`],
      ['insecure_listen = 192.0.2.1:1', 'cannot listen on 192.0.2.1:1'],
      [`# ${'x'.repeat(1024 * 1024)}`, 'larger than 1048576 bytes'],
    ];
    for (const [line] of mistakes) {
      const count = fleetd.lines.filter((each) => refused.test(each)).length;
      fleetd.configure(configuration('kept', line));
      fleetd.signal('SIGHUP');
      await fleetd.untilSaid(refused, count + 1);
    }
    rmSync(file);
    const instead = [() => undefined, () => mkdirSync(file), () => execFileSync('mkfifo', [file])];
    for (const [index, make] of instead.entries()) {
      make();
      fleetd.signal('SIGHUP');
      await fleetd.untilSaid(refused, mistakes.length + 1 + index);
      rmSync(file, { recursive: true, force: true });
    }
    const refusals = fleetd.lines.filter((line) => refused.test(line)).map((line) => line.replaceAll('\\', ''));
    for (const [index, [, said]] of mistakes.entries()) assert.ok(refusals[index]?.includes(said), refusals[index]);
    for (const said of [`Unable to use config file ${file}`, 'is a directory', 'is not a regular file'])
      assert.ok(
        refusals.slice(mistakes.length).some((line) => line.includes(said)),
        said,
      );
    assert.equal((await ask(path, '/fleet/v1/machines')).status, 200);
    assert.ok(!fleetd.lines.some((line) => line.includes('Restarting server components')));
    fleetd.configure(configuration('kept'));
    fleetd.signal('SIGHUP');
    await fleetd.untilSaid(/the configuration is as it was: nothing is restarted/);
  });

  it('listens where the file says, and answers where it has listened before', async (t) => {
    const [first, second] = [socket('first'), socket('second')];
    const fleetd = start(t, configuration('first'));
    await untilLeading(fleetd);
    fleetd.configure(`${configuration('first')}listen = unix://${first},unix://${second}\nverbosity = 1\n`);
    fleetd.signal('SIGHUP');
    await fleetd.untilSaid(/no component has to be restarted/);
    for (const path of [first, second]) assert.equal((await ask(path, '/fleet/v1/machines')).status, 200);
    assert.ok(fleetd.lines.some((line) => line.startsWith('DEBUG request ')));
    fleetd.configure(configuration('second', 'token_limit = 7'));
    fleetd.signal('SIGHUP');
    await untilLeading(fleetd, 2);
    assert.equal((await ask(second, '/fleet/v1/machines')).status, 200);
    await assert.rejects(ask(first, '/healthz'), /ENOENT/);
  });

  it('leaves out no request and lets none break off, however often it is told to read again', async (t) => {
    const path = socket('busy');
    const fleetd = start(t, configuration('busy'));
    await untilLeading(fleetd);
    const answers = new Map<string, number>();
    let isOver = false;
    const asking = async () => {
      while (!isOver) {
        const came = await ask(path, '/fleet/v1/machines').then(({ status }) => String(status), String);
        answers.set(came, (answers.get(came) ?? 0) + 1);
      }
    };
    const clients = [asking(), asking()];
    const seen: { descriptors: number; resident: number }[] = [];
    const rounds = isLong ? 60 : 5;
    for (let round = 1; round <= rounds; round++) {
      fleetd.configure(configuration('busy', `token_limit = ${round}`));
      fleetd.signal('SIGHUP');
      await untilLeading(fleetd, round + 1);
      const { descriptors, resident } = fleetd;
      seen.push({ descriptors, resident });
    }
    isOver = true;
    await Promise.all(clients);
    assert.deepEqual([...answers.keys()], ['200']);
    await waitUntil({
      what: 'what the former components had open is closed',
      read: async () => fleetd.descriptors,
      until: (now) => now <= (seen[0]?.descriptors ?? 0),
    });
    if (isLong) assertFlat(seen.map(({ resident }) => resident));
  });

  it('ends at a SIGTERM, whatever it is at', async (t) => {
    const states: readonly (readonly [servers: string, signals: readonly NodeJS.Signals[]])[] = [
      [nowhere, ['SIGTERM']],
      [silence, ['SIGTERM']],
      [silence, ['SIGHUP', 'SIGTERM']],
      [etcd.url, ['SIGHUP', 'SIGTERM', 'SIGHUP']],
      [etcd.url, ['SIGHUP', 'SIGHUP', 'SIGINT']],
    ];
    const early = start(t, `etcd_servers = ${etcd.url}\n`);
    await early.untilHearing();
    for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGTERM'] as const) early.signal(signal);
    assert.equal(await early.untilExit(), 0);
    assertInOrder(early.lines, [/^INFO Gracefully shutting down/, /^INFO Starting fleetd version/]);
    for (const [servers, signals] of states) {
      const fleetd = start(t, `etcd_servers = ${servers}\n`);
      await fleetd.untilSaid(/^INFO Starting server components/);
      fleetd.configure(`etcd_servers = ${servers}\ntoken_limit = 7\n`);
      for (const signal of signals) fleetd.signal(signal);
      assert.equal(await fleetd.untilExit(), 0, `${servers} ${signals.join()}\n${fleetd.lines.join('\n')}`);
    }
  });
});

const away = { error: { code: 503, message: 'fleet server unable to communicate with etcd' } };

const refused = /^ERROR this configuration can not be used; fleetd goes on with the one before/;

/** Checks that there are lines that match, one after the other, whatever is between them. */
function assertInOrder(lines: readonly string[], wanted: readonly RegExp[]): void {
  let at = -1;
  for (const pattern of wanted) {
    at = lines.findIndex((line, index) => index > at && pattern.test(line));
    assert.ok(at >= 0, `${pattern} does not come, or not in its place:\n${lines.join('\n')}`);
  }
}

/** Checks that the second half of a row of figures is no higher than the first, but for the collector's whims. */
function assertFlat(megabytes: readonly number[]): void {
  const half = Math.floor(megabytes.length / 2);
  const [first, second] = [megabytes.slice(0, half), megabytes.slice(half)].map((some) => Math.max(...some));
  assert.ok((second ?? 0) < (first ?? 0) + 10, `memory grows: ${megabytes.map(Math.round).join(' ')}`);
}

function ask(socketPath: string, path: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    asked.on('error', reject).end();
  });
}
