import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { endianness, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { RunCommand } from '@flotilla/systemd';
import { findObjection, findOwner } from './listeners.js';
import { findEnabledEtcd, findListeners, findProgram, findRememberedStore, isSocketPathShort } from './look-around.js';

describe('what a host shows of an etcd', () => {
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'local-etcd-'));
  });

  after(() => rm(directory, { recursive: true }));

  const remembered: readonly (readonly [title: string, text: string | undefined, found: RegExp | undefined])[] = [
    ['nothing without the file', undefined, undefined],
    ['nothing if the machine belongs to no cluster', '{"revision":0,"units":{}}', undefined],
    ['a cluster', '{"cluster":"1-2-3","revision":7}', /names cluster 1-2-3$/],
    ['a reason to be frozen', '{"revision":7,"frozen":"it is damaged"}', /says it is damaged$/],
    ['that it is damaged', '{"cluster":', /can't be read/],
    ['that it is something else', '7', /is damaged$/],
  ];

  for (const [title, text, found] of remembered) {
    it(`the assignment says: ${title}`, async () => {
      const path = join(directory, 'assignment.json');
      if (text === undefined) await rm(path, { force: true });
      else await writeFile(path, text);
      const said = await findRememberedStore(directory, join(directory, 'other-store'));
      if (found === undefined) assert.equal(said, undefined);
      else assert.match(said ?? '', found);
    });
  }

  it('remembers a store whose cluster the host has left', async () => {
    await rm(join(directory, 'assignment.json'), { force: true });
    await writeFile(join(directory, 'other-store'), 'http://10.0.0.1:2379\n');
    const said = await findRememberedStore(directory, join(directory, 'other-store'));
    assert.match(said ?? '', /other-store names http:\/\/10\.0\.0\.1:2379$/);
    await rm(join(directory, 'other-store'));
  });

  it('finds who takes connections, and whose it is; nobody where nobody does', async () => {
    const server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const url = `http://127.0.0.1:${address.port}`;
    const uid = process.getuid?.();
    assert.deepEqual(await findListeners(['http://127.0.0.1:1', url]), [{ at: url, uid }]);
    assert.equal(await findObjection(url), undefined);
    await new Promise((resolve) => server.close(resolve));
    assert.deepEqual(await findListeners(['http://127.0.0.1:1', url]), []);
    assert.equal(await findObjection(url), 'nothing listens there');
  });

  it('finds a program that can be run, and nothing else of its name', async () => {
    for (const each of ['a', 'b', 'c', 'd']) await mkdir(join(directory, each));
    await mkdir(join(directory, 'a/etcd'));
    await writeFile(join(directory, 'b/etcd'), '', { mode: 0o644 });
    await writeFile(join(directory, 'c/real'), '', { mode: 0o755 });
    await symlink('real', join(directory, 'c/etcd'));
    const path = ['', 'relative', ...['a', 'b', 'c', 'd'].map((each) => join(directory, each))];
    assert.equal(await findProgram('etcd', path), join(directory, 'c/etcd'));
    assert.equal(await findProgram('etcd', path.slice(0, 4)), undefined);
  });

  it("asks the machine's systemd what is enabled, and a user's own as well", async () => {
    const asked: string[] = [];
    const run: RunCommand = async (program, args) => {
      asked.push([program, ...args].slice(0, 2).join(' '));
      return { exitCode: 0, stdout: args[0] === '--user' ? 'etcd@1.service enabled enabled\n' : '', stderr: '' };
    };
    assert.equal(await findEnabledEtcd(run, false), undefined);
    assert.equal(await findEnabledEtcd(run, true), 'etcd@1.service');
    assert.deepEqual(asked, ['systemctl list-unit-files', 'systemctl list-unit-files', 'systemctl --user']);
  });
});

it('knows how long a path of a socket may be', () => {
  assert.equal(isSocketPathShort('x'.repeat(107)), true);
  assert.equal(isSocketPathShort('x'.repeat(108)), false);
  assert.equal(isSocketPathShort('ü'.repeat(54)), false);
});

describe('the owner of a listener', () => {
  const row = (local: string, uid: number, state = '0A') =>
    `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000 ${String(uid).padStart(5)}        0 1 1 0 100`;
  const [own, any] = ['0100007F:094B', '00000000:094B'];
  const [mapped, any6] = ['0000000000000000FFFF00000100007F:094B', `${'0'.repeat(32)}:094B`];
  const cases: readonly (readonly [title: string, tcp: readonly string[], tcp6: readonly string[], uid?: number])[] = [
    ['the very address', [row(own, 7)], [], 7],
    ['all addresses', [row(any, 7)], [], 7],
    ['all addresses of IPv6', [], [row(any6, 7)], 7],
    ['an IPv4 address of IPv6', [], [row(mapped, 7)], 7],
    ['nobody', [], []],
    ['only who listens', [row(own, 7, '01')], []],
    ['not another port', [row('0100007F:0FA1', 7)], []],
    ['not another address', [row('0200007F:094B', 7)], [row(`${'0'.repeat(24)}01000000:094B`, 7)]],
    ['who is reached, not who has the rest', [row(own, 7)], [row(any6, 1000)], 7],
    ['of several the least trusted', [row(own, 7), row(own, 1000)], [], 1000],
  ];
  for (const [title, tcp, tcp6, uid] of cases) {
    it(`is found: ${title}`, { skip: endianness() === 'BE' && 'the rows are those of a little-endian machine' }, () => {
      const tables = { tcp: ['  sl  local_address', ...tcp, ''].join('\n'), tcp6: tcp6.join('\n') };
      assert.equal(findOwner(tables, '127.0.0.1', 2379), uid);
    });
  }
});
