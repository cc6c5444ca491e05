import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { createApi } from '@flotilla/api';
import { findUnit, putUnit, type Store, StoreInspector } from '@flotilla/registry';
import { silentLogger, systemClock } from '@flotilla/runtime';
import { parseUnitName, type UnitName } from '@flotilla/unit';
import fc from 'fast-check';
import { isLong } from '../lab/index.js';
import { etcdMissing, TestEtcd } from './etcd.js';
import { contentOf, sleeper, untilSo } from './etcd-host.js';
import { openProxy, openStore, time } from './test-stores.js';

const numRuns = isLong ? 500 : 50;

describe('law 12: nothing accepted is lost', { skip: etcdMissing() ?? false }, () => {
  let etcd: TestEtcd;
  let count = 0;
  before(async () => {
    etcd = await TestEtcd.start();
  });
  after(() => etcd.remove());

  const open = (prefix = `law-12/${count++}`) => openStore({ hosts: [etcd.url], prefix });
  const access = (store: Store) => ({ store, log: silentLogger });
  const nameOf = (index: number) => parseUnitName(`unit${index}.service`);

  async function readFile(store: Store, name: UnitName): Promise<Uint8Array | undefined> {
    return (await findUnit(access(store), name))?.file;
  }

  function api(store: Store) {
    const inspector = new StoreInspector({ store, clock: systemClock });
    const own = { clock: systemClock, version: '1', pageLimit: 100, hostNames: [], isReady: () => true, inspector };
    const handle = createApi({ ...access(store), ...own });
    return (method: string, name: string, body?: unknown) =>
      handle({
        method,
        url: `/fleet/v1/units/${name}`,
        headers: { 'content-type': ['application/json'] },
        door: 'unix',
        body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body ?? '')),
      });
  }

  it('a unit file’s bytes come back as they were, whatever they are', async () => {
    const store = open();
    let index = 0;
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3_000 }), async (bytes) => {
        const name = nameOf(index++);
        await putUnit(access(store), name, { content: contentOf(bytes), desiredState: 'inactive' });
        assert.deepEqual(Buffer.from((await readFile(store, name)) ?? []), Buffer.from(bytes));
      }),
      { numRuns },
    );
  });

  it('a unit file comes back through the API as it was written: comments, line ends, blank lines and all', async () => {
    const call = api(open());
    const comment = fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => `# ${text.replace(/[\r\n]/g, '')}`);
    const line = fc.oneof(comment, fc.constantFrom('', 'ExecStart=/bin/true', 'Environment=A=1 \\', '  B=2', '; x'));
    const file = fc
      .tuple(fc.array(line, { maxLength: 8 }), fc.constantFrom('\n', '\r\n'), fc.boolean())
      .map(([lines, end, isEnded]) => ['[Service]', ...lines].join(end) + (isEnded ? end : ''));
    let index = 0;
    await fc.assert(
      fc.asyncProperty(file, async (text) => {
        const name = nameOf(index++);
        const { status } = await call('PUT', name, { desiredState: 'inactive', file: text });
        // What is no unit file is refused, which is another matter.
        if (status !== 201) return fc.pre(false);
        const { body } = await call('GET', name);
        assert.equal((JSON.parse(body) as { file?: string }).file, text);
      }),
      { numRuns },
    );
  });

  it('what was answered is there after etcd was killed, over and over, and answers were lost', async () => {
    const proxy = await openProxy(etcd);
    const prefix = `law-12/${count++}`;
    const answered = new Map<UnitName, string>();
    const stores = Array.from({ length: 4 }, () => openStore({ hosts: [proxy.url], prefix }));
    let isOver = false;
    const writing = stores.map(async (store, who) => {
      for (let index = 0; !isOver; index++) {
        const [name, text] = [nameOf(who * 100_000 + index), `${sleeper}# ${who} ${index}\n`];
        try {
          await putUnit(access(store), name, { content: contentOf(text), desiredState: 'launched' });
          answered.set(name, text);
        } catch {
          await time.elapse(20);
        }
      }
    });
    for (let round = 0; round < 4; round++) {
      const wanted = answered.size + 20;
      await untilSo('some are answered', () => answered.size >= wanted);
      proxy.swallowAnswers();
      await time.elapse(20);
      await etcd.stop('SIGKILL');
      proxy.heal();
      await etcd.start();
    }
    isOver = true;
    await Promise.all(writing);
    const store = open(prefix);
    for (const [name, text] of answered)
      assert.equal(Buffer.from((await readFile(store, name)) ?? []).toString(), text, `${name} is lost`);
  });

  it('what a client was told is there after client and etcd were killed', async () => {
    const prefix = `law-12/${count++}`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', clientText(etcd.url, prefix)], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let told = '';
    child.stdout.on('data', (chunk) => {
      told += chunk;
    });
    const exited = once(child, 'exit');
    await untilSo('it was told of some', () => told.split('\n').length > 30);
    child.kill('SIGKILL');
    await etcd.stop('SIGKILL');
    await exited;
    await etcd.start();
    const store = open(prefix);
    const names = told.split('\n').slice(0, -1);
    for (const name of names) assert.ok((await readFile(store, parseUnitName(name))) !== undefined, `${name} is lost`);
  });

  const service = [{ section: 'Service', name: 'ExecStart', value: '/bin/true' }];
  const bad: Readonly<Record<string, readonly [method: string, name: string, body: unknown, says: RegExp]>> = {
    'no JSON': ['PUT', 'new.service', '{', /JSON/i],
    'no state that there is': [
      'PUT',
      'new.service',
      { desiredState: 'running', options: service },
      /desired state \\"running/,
    ],
    'no unit name': ['PUT', 'new.socks', { desiredState: 'launched', options: service }, /invalid unit type: \\"socks/],
    'another name than the path’s': ['PUT', 'new.service', { name: 'old.service', desiredState: 'launched' }, /name/],
    'no content for a new unit': ['PUT', 'new.service', { desiredState: 'launched' }, /./],
    'requirements that contradict each other': [
      'PUT',
      'new.service',
      { desiredState: 'launched', file: `${sleeper}[X-Fleet]\nGlobal=true\nMachineOf=a.service\n` },
      /MachineOf/,
    ],
    'a file that can’t be read': ['PUT', 'new.service', { desiredState: 'launched', file: '[Service\nx' }, /1/],
    'another state that there is not, for a unit that there is': ['PUT', 'there.service', { desiredState: 'on' }, /./],
    'to destroy what is not there': ['DELETE', 'new.service', undefined, /./],
  };
  for (const [what, [method, name, body, says]] of Object.entries(bad))
    it(`bad input changes nothing and says why: ${what}`, async () => {
      const store = open();
      const call = api(store);
      assert.equal((await call('PUT', 'there.service', { desiredState: 'inactive', options: service })).status, 201);
      const before = await store.range({ from: '', to: '~' });
      const answer = await call(method, name, body);
      assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${answer.body}`);
      assert.match(answer.body, says);
      const after = await store.range({ from: '', to: '~' });
      assert.deepEqual(after, before);
    });
});

/** Puts one unit after the other, and says the name of each that was answered. */
function clientText(url: string, prefix: string): string {
  return `
    import { writeSync } from 'node:fs';
    import { putUnit } from '@flotilla/registry';
    import { createEtcdStore } from '@flotilla/registry-etcd';
    import { silentLogger as log, systemClock as clock } from '@flotilla/runtime';
    import { hashUnitFile, parseUnitFile } from '@flotilla/unit';
    const store = createEtcdStore({ hosts: ['${url}'], prefix: '${prefix}', clock, log });
    for (let index = 0; ; index++) {
      const file = new TextEncoder().encode('[Service]\\n# ' + index);
      const hash = hashUnitFile(parseUnitFile('[Service]'));
      const content = { file, hash, isGlobal: false, isVerbatim: true };
      await putUnit({ store, log }, 'unit' + index + '.service', { content, desiredState: 'launched' });
      writeSync(1, 'unit' + index + '.service\\n');
    }
  `;
}
