import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseEndpoint } from './endpoint-choice.js';

const environment = { XDG_RUNTIME_DIR: '/run/user/7' };
const system = '/var/run/fleet.sock';
const own = '/run/user/7/fleet.sock';

const choices = [
  ['root’s, if both are there', {}, environment, [system, own], system],
  ['the user’s, if root’s is not within reach', {}, environment, [own], own],
  ['root’s, if neither is there: that is the one to tell about', {}, environment, [], system],
  ['root’s, where there is no session', {}, {}, [own], system],
  ['the user’s, if asked for, there or not', { user: true }, environment, [system], own],
  ['what the line says', { endpoint: 'unix:///a' }, { ...environment, FLEETCTL_ENDPOINT: 'unix:///b' }, [own], '/a'],
  ['what the environment says', {}, { ...environment, FLEETCTL_ENDPOINT: 'unix:///b' }, [system, own], '/b'],
  [
    'the user’s, whatever the environment says',
    { user: true },
    { ...environment, FLEETCTL_ENDPOINT: 'unix:///b' },
    [],
    own,
  ],
  ['root’s, if the variable is set to nothing', {}, { FLEETCTL_ENDPOINT: '' }, [system], system],
] as const;

for (const [title, flags, variables, usable, expected] of choices)
  test(`fleetctl talks to ${title}`, () => {
    const there: readonly string[] = usable;
    assert.equal(
      chooseEndpoint(flags, variables, (path) => there.includes(path)),
      `unix://${expected}`,
    );
  });
