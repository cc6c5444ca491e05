import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { RunCommand } from '@flotilla/systemd';
import { findAnswering, findEnabledEtcd, findProgram, findRememberedStore, isSocketPathShort } from './look-around.js';

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

  it('finds who takes connections, and nobody where nobody does', async () => {
    const server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const url = `http://127.0.0.1:${address.port}`;
    assert.equal(await findAnswering(['http://127.0.0.1:1', url]), url);
    await new Promise((resolve) => server.close(resolve));
    assert.equal(await findAnswering(['http://127.0.0.1:1', url]), undefined);
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
