import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@flotilla/runtime';
import { HostRing } from './host-ring.js';

const hosts = ['one', 'two', 'three'];

test('the host that answers is kept, and after a failure the next one is taken', () => {
  const ring = new HostRing(hosts, systemClock);
  const first = ring.choose();
  ring.answered(first);
  assert.equal(ring.choose(), first);
  ring.failed(first);
  const second = ring.choose();
  assert.notEqual(second, first);
  ring.failed(first);
  assert.equal(ring.choose(), second, 'a late failure of another host changes nothing');
});

test('one call asks each host once before it asks one again', () => {
  const ring = new HostRing(hosts, systemClock);
  const tried = new Set<string>();
  for (let attempt = 0; attempt < hosts.length; attempt++) {
    const host = ring.choose(tried);
    assert.ok(!tried.has(host));
    tried.add(host);
    ring.failed(host);
  }
  assert.deepEqual([...tried].sort(), [...hosts].sort());
  assert.ok(hosts.includes(ring.choose(tried)));
});

test('a host that answered while another was the choice becomes the choice', () => {
  const ring = new HostRing(hosts, systemClock);
  const other = ring.choose(new Set([ring.choose()]));
  ring.answered(other);
  assert.equal(ring.choose(), other);
});
