import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { version } from '@flotilla/errors';

const dist = fileURLToPath(new URL('../../dist/', import.meta.url));
const run = promisify(execFile);

describe('a single file, copied to an empty directory', () => {
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'flotilla-files-'));
  });

  after(() => rm(directory, { recursive: true }));

  for (const [name, argument] of [
    ['fleetd', '--version'],
    ['fleetd', '-version'],
    ['fleetctl', 'version'],
  ] as const) {
    it(`${name} ${argument} tells its version`, async () => {
      const path = join(directory, name);
      await copyFile(join(dist, name), path);
      assert.equal((await stat(path)).mode & 0o777, 0o755);
      const { stdout } = await run(path, [argument], { cwd: directory, env: { PATH: process.env.PATH } });
      assert.equal(stdout, `${name} version ${version}\n`);
    });
  }

  it('fleetctl fd-forward carries a request to a socket, and the answer back', async () => {
    const path = join(directory, 'fleetctl');
    await copyFile(join(dist, 'fleetctl'), path);
    const server = createServer((_, response) => response.end('answered'));
    const socket = join(directory, 'peer.sock');
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    try {
      const carried = run(path, ['fd-forward', socket], { cwd: directory, env: { PATH: process.env.PATH } });
      carried.child.stdin?.end('GET / HTTP/1.0\r\n\r\n');
      assert.match((await carried).stdout, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nanswered$/);
    } finally {
      server.close();
    }
  });

  it('fleetd carries the protocol of etcd', async () => {
    const path = join(directory, 'fleetd');
    await copyFile(join(dist, 'fleetd'), path);
    // A configuration that is refused late, once everything has been loaded.
    const failed = await run(path, ['--agent-ttl=never'], { cwd: directory, env: { PATH: process.env.PATH } }).then(
      () => assert.fail('fleetd accepted agent_ttl=never'),
      (error: { stderr: string }) => error,
    );
    assert.match(failed.stderr, /agent.ttl/);
    assert.doesNotMatch(failed.stderr, /\.proto|Cannot find module|MODULE_NOT_FOUND/);
  });
});
