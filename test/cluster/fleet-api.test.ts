import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { labObstacle } from '../lab/index.js';
import { type Answer, FleetSuite } from './fleet-suite.js';

describe('fleet’s functional tests of its API, with two machines', { skip: labObstacle() }, () => {
  let suite: FleetSuite;

  before(async () => {
    suite = await FleetSuite.start('fleet-api', 2);
  });

  after(() => suite.close());

  const machines = '/fleet/v1/machines';
  const get = (path: string) => suite.request(suite.host(0), { path });
  const patch = (operations: readonly object[]) =>
    suite.request(suite.host(0), { method: 'PATCH', path: machines, body: JSON.stringify(operations) });
  const at = (index: number, key: string) => `/${suite.host(index).machineId}/metadata/${key}`;

  const assertAnswer = ({ status, headers }: Answer, expected: number) =>
    assert.deepEqual([status, headers['content-type']], [expected, 'application/json']);

  /** Checks what a client of fleet's reads of each machine: this metadata besides its host name. */
  const assertListed = ({ body }: Answer, ...more: readonly object[]) => {
    const page = JSON.parse(body) as { machines: { id: string; metadata: object; primaryIP: string }[] };
    assert.deepEqual(
      page.machines.map(({ id, metadata, primaryIP }) => ({ id, metadata, primaryIP })),
      suite.lab.hosts.map(({ machineId, name, address }, index) => {
        return { id: machineId, metadata: { hostname: name, ...more[index] }, primaryIP: address };
      }),
    );
  };

  it('MachinesList', async () => {
    const answer = await get(machines);
    assertAnswer(answer, 200);
    assertListed(answer);
  });

  it('MachinesListBadNextPageToken', async () => {
    const answer = await get(`${machines}?nextPageToken=EwBMLg==`);
    assertAnswer(answer, 400);
    assert.equal(answer.body, '{"error":{"code":400,"message":"token limit must be 100"}}');
  });

  it('MachinesPatchAddModify', async () => {
    const answer = await patch([
      { op: 'add', path: at(0, 'foo'), value: { Value: 'bar' } },
      { op: 'replace', path: at(1, 'ping'), Value: { value: 'splat' } },
    ]);
    assertAnswer(answer, 204);
    assert.equal(answer.body, '');
    assertListed(await get(machines), { foo: 'bar' }, { ping: 'splat' });
  });

  it('MachinesPatchDelete', async () => {
    const before = (await get(machines)).body;
    const answer = await patch([
      { op: 'remove', path: at(0, 'not-there') },
      { op: 'remove', path: at(1, 'not-there-either') },
    ]);
    assertAnswer(answer, 204);
    assert.equal((await get(machines)).body, before);
  });

  it('MachinesPatchBad', async () => {
    const before = (await get(machines)).body;
    for (const operation of [
      { op: 'noop', path: at(0, 'foo'), value: { value: 'bar' } },
      { op: 'add', path: `/${suite.host(0).machineId}/foo`, value: { value: 'bar' } },
      { op: 'add', path: `/${suite.host(0).machineId}/foo`, value: { value: '' } },
    ])
      assertAnswer(await patch([operation]), 400);
    assert.equal((await get(machines)).body, before);
  });
});
