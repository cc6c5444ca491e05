import type { MachineId } from '@flotilla/cluster';
import { changeMetadata, type MetadataChange } from '@flotilla/registry';
import { type PatchOperation, parsePatchMachines } from '@flotilla/schema';
import { findMachineId } from './machine-id.js';
import { findValueProblem, isMetadataKey } from './metadata-rules.js';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { failure } from './responses.js';

interface CheckedOperation {
  readonly machine: MachineId;
  readonly key: string;
  readonly change: MetadataChange;
}

/**
 * `PATCH machines`: sets and removes metadata of machines, whether they are there or not. Everything is checked first; of
 * several operations on one key the last one counts.
 */
export async function patchMachines({ deps, request }: RoutedRequest): Promise<ApiResponse> {
  const body = parsePatchMachines(request.body);
  if (body.kind === 'refused') return failure(400, `unable to decode body: ${body.why}`);
  const changes = new Map<MachineId, Map<string, MetadataChange>>();
  for (const operation of body.request) {
    const checked = check(operation);
    if (typeof checked === 'string') return failure(400, checked);
    const byKey = changes.get(checked.machine) ?? new Map<string, MetadataChange>();
    changes.set(checked.machine, byKey.set(checked.key, checked.change));
  }
  if ((await changeMetadata(deps, changes)) === 'conflict') return failure(409, 'machine is changing: try again');
  return { status: 204, headers: { 'Content-Type': 'application/json' }, body: '' };
}

/** The operation, or what is wrong with it, in fleet's order and words. */
function check({ op, path, value }: PatchOperation): CheckedOperation | string {
  if (op !== 'add' && op !== 'remove' && op !== 'replace') return 'invalid op: expect add, remove, or replace';
  const [, id = '', key = ''] = /^\/([^/]+)\/metadata\/([^/]+)$/.exec(path) ?? [];
  const machine = findMachineId(id);
  if (machine === undefined || !isMetadataKey(key)) return 'machine metadata path invalid';
  if (op === 'remove') return { machine, key, change: { kind: 'unset' } };
  if (value === '') return 'invalid value: add and replace require a value';
  const problem = findValueProblem(value);
  if (problem !== undefined) return `invalid value: that of ${path} ${problem}`;
  return { machine, key, change: { kind: 'set', value } };
}
