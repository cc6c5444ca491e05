import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localEtcdUnitText } from './unit-text.js';

const options = { program: '/usr/bin/etcd', directory: '/var/lib/fleet/etcd', user: false };

test('etcd has sockets and no address', () => {
  const text = localEtcdUnitText(options);
  const urls = [...text.matchAll(/[a-z]+:\/\/\S+/g)].map(([url]) => url);
  assert.deepEqual([...new Set(urls)], ['unix://client:1', 'unix://peer:1']);
  assert.match(text, /^RestrictAddressFamilies=AF_UNIX$/m);
});

test("a user's own systemd is asked for nothing that it can't do", () => {
  const text = localEtcdUnitText({ ...options, user: true });
  assert.doesNotMatch(text, /^(ProtectSystem|ReadWritePaths|OOMScoreAdjust|CPUWeight|IOWeight)=/m);
});

test('paths keep their percent signs, dollars and blanks', () => {
  const text = localEtcdUnitText({ program: '/opt/$a %b/etcd', directory: '/srv/50% here/etcd', user: false });
  assert.match(text, /^ExecStart="\/opt\/\$\$a %%b\/etcd" /m);
  assert.match(text, /^WorkingDirectory=\/srv\/50%% here\/etcd$/m);
  assert.match(text, /^ReadWritePaths="\/srv\/50%% here\/etcd"$/m);
});
