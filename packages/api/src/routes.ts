import findMyWay from 'find-my-way';
import { postAdopt } from './adopt-unit.js';
import { postBatch } from './batch.js';
import { postConfirm } from './confirm-directory.js';
import { getDirectories, getDirectory } from './directories.js';
import { getDiscovery } from './discovery.js';
import { getExplanation } from './explanation.js';
import { postForgetDirectories } from './forget-directories.js';
import { getHealth, getReadiness } from './health.js';
import { postMachineLimit } from './machine-limit.js';
import { postMachineMetadata } from './machine-metadata.js';
import { getMachines } from './machines.js';
import { getMetrics } from './metrics.js';
import { patchMachines } from './patch-machines.js';
import { putUnitResource } from './put-unit.js';
import { postRelease } from './release.js';
import type { Handler, Resource } from './resource.js';
import { postRestart } from './restart.js';
import { getSettings, putSettings } from './settings.js';
import { postUnfreeze } from './unfreeze.js';
import { getUnitState, getUnitStates } from './unit-states.js';
import { getUnit, getUnits, removeUnit } from './units.js';

/** Under which every resource of API v1 exists, with the same behaviour. */
const prefixes = ['/fleet/v1', '/v1-alpha'];

/** Longer than any request line that Node accepts: how long a name may be is for the name's own check to say. */
const longestSegment = 64 * 1024;

const nothingHere: Resource = { handlers: new Map(), wrongMethod: '', needsStore: false };

function resource(handlers: Readonly<Record<string, Handler>>, needsStore = true): Resource {
  const methods = Object.keys(handlers);
  const last = methods.at(-1) ?? '';
  const names = methods.length > 1 ? `${methods.slice(0, -1).join(', ')} and ${last}` : last;
  return {
    handlers: new Map(Object.entries(handlers)),
    wrongMethod: `only ${names} supported against this resource`,
    needsStore,
  };
}

/** fleet looks at no method there. */
function everyMethod(handler: Handler): Readonly<Record<string, Handler>> {
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
  return Object.fromEntries(methods.map((method) => [method, handler]));
}

/** Resources by path below a prefix. */
const v1: Readonly<Record<string, Resource>> = {
  '': { ...nothingHere, needsStore: true },
  // fleet's own words, here alone.
  '/discovery': { ...resource({ GET: getDiscovery }), wrongMethod: 'only HTTP GET supported against this resource' },
  '/machines': resource({ GET: getMachines, PATCH: patchMachines }),
  '/units': resource({ GET: getUnits }),
  '/units/:name': resource({ GET: getUnit, PUT: putUnitResource, DELETE: removeUnit }),
  '/state': resource({ GET: getUnitStates }),
  '/state/:name': resource({ GET: getUnitState }),
};

/** Resources that are not fleet's, by path. */
const outside: Readonly<Record<string, Resource>> = {
  '/fleet/v2/batch': resource({ POST: postBatch }),
  '/fleet/v2/dirs': resource({ GET: getDirectories }),
  '/fleet/v2/dirs/:name': resource({ GET: getDirectory }),
  '/fleet/v2/dirs/:name/confirm': resource({ POST: postConfirm }),
  '/fleet/v2/settings': resource({ GET: getSettings, PUT: putSettings }),
  '/fleet/v2/machines/:name/forget-dirs': resource({ POST: postForgetDirectories }),
  '/fleet/v2/machines/:name/limit': resource({ POST: postMachineLimit }),
  '/fleet/v2/machines/:name/metadata': resource({ POST: postMachineMetadata }),
  '/fleet/v2/units/:name/adopt': resource({ POST: postAdopt }),
  '/fleet/v2/units/:name/explain': resource({ GET: getExplanation }),
  '/fleet/v2/units/:name/restart': resource({ POST: postRestart }),
  '/fleet/v2/machines/:name/release': resource({ POST: postRelease }),
  '/fleet/v2/machines/:name/unfreeze': resource({ POST: postUnfreeze }),
  '/': nothingHere,
  '/metrics': resource(everyMethod(getMetrics), false),
  '/healthz': resource({ GET: getHealth }, false),
  '/readyz': resource({ GET: getReadiness }, false),
};

/** Whether a path is v1's, be there something or not. */
export function isOfV1(path: string): boolean {
  return prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}

export interface Route {
  /** Its path, with `:name` where a name stands. */
  readonly pattern: string;
  readonly resource: Resource;
  /** The segment that is a name, decoded; empty if the path has none. */
  readonly name: string;
}

/** Finds what answers on a path; `undefined` if nothing does. Methods are looked at later: each path has its 405 text. */
export function createRouter(): (path: string) => Route | undefined {
  const router = findMyWay({ maxParamLength: longestSegment });
  const add = (path: string, to: Resource) => router.on('GET', path, () => undefined, { resource: to, pattern: path });
  for (const prefix of prefixes) for (const [path, to] of Object.entries(v1)) add(prefix + path, to);
  for (const [path, to] of Object.entries(outside)) add(path, to);
  return (path) => {
    // An encoded slash is not one of the path's, and no name has one.
    if (/%2f/i.test(path)) return undefined;
    const found = router.find('GET', path);
    if (found === null || found.params.name === '') return undefined;
    const { resource, pattern }: Omit<Route, 'name'> = found.store;
    return { resource, pattern, name: found.params.name ?? '' };
  };
}
