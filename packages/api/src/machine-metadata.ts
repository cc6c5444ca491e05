import { effectiveMetadata } from '@flotilla/cluster';
import { changeMetadata, type MetadataChange, readMetadataSources } from '@flotilla/registry';
import { type MachineMetadataAnswer, type MachineMetadataRequest, parseMachineMetadata } from '@flotilla/schema';
import { findWrongType } from './json-type.js';
import { findMachineId } from './machine-id.js';
import { findValueProblem, isMetadataKey } from './metadata-rules.js';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { failure, json } from './responses.js';

/** `POST machines/<id>/metadata`: what `PATCH machines` can, for one machine, and back to the machine's own. */
export async function postMachineMetadata({ deps, request, name }: RoutedRequest): Promise<ApiResponse> {
  const wrongType = findWrongType(request);
  if (wrongType !== undefined) return wrongType;
  const body = parseMachineMetadata(request.body);
  if (body.kind === 'refused') return failure(400, `unable to decode body: ${body.why}`);
  const machine = findMachineId(name);
  if (machine === undefined) return failure(400, `not a machine ID: ${JSON.stringify(name)}`);
  const changes = toChanges(body.request);
  if (typeof changes === 'string') return failure(400, changes);
  const outcome = await changeMetadata(deps, new Map([[machine, changes]]));
  if (outcome === 'conflict') return failure(409, 'machine is changing: try again');
  const { own, overrides } = await readMetadataSources(deps, machine);
  const hidden = (body.request.unset ?? []).filter((key) => overrides.get(key) === '').sort();
  const answer: MachineMetadataAnswer = {
    ...(hidden.length > 0 && { hidden }),
    machineID: machine,
    ...(own && { metadata: Object.fromEntries([...effectiveMetadata(own, overrides)].sort(byKey)) }),
  };
  return json(answer);
}

/** What is to become of each key, or what is wrong with the request. */
function toChanges({ reset = [], set = {}, unset = [] }: MachineMetadataRequest): Map<string, MetadataChange> | string {
  const asked: (readonly [string, MetadataChange])[] = [
    ...Object.entries(set).map(([key, value]) => [key, { kind: 'set', value }] as const),
    ...unset.map((key) => [key, { kind: 'unset' }] as const),
    ...reset.map((key) => [key, { kind: 'reset' }] as const),
  ];
  const changes = new Map<string, MetadataChange>();
  for (const [key, change] of asked) {
    if (!isMetadataKey(key))
      return `${JSON.stringify(key)} is no metadata key: those are made of letters, digits, _, . and -`;
    if (changes.has(key)) return `${key} is named twice`;
    const problem = change.kind === 'set' ? findValueProblem(change.value) : undefined;
    if (problem !== undefined) return `the value of ${key} ${problem}`;
    changes.set(key, change);
  }
  return changes;
}

function byKey([one]: readonly [string, string], [other]: readonly [string, string]): number {
  return one < other ? -1 : 1;
}
