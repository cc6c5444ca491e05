import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  formatUnitFile,
  hashUnitFile,
  parseRequirements,
  parseUnitFileWithLines,
  parseUnitName,
  unitFileFromOptions,
  unitNameParts,
} from '@flotilla/unit';
import { AppliedUnits } from './applied-units.js';
import { fieldsOf, type RawRequest, readFirstJson } from './raw-requests.js';

interface UnitInModel {
  readonly hash: string;
  readonly file: string;
  readonly desiredState: string;
  /** `undefined`: another one, as orders to a global unit go on from the store's revision. */
  readonly order: number | undefined;
  readonly isGlobal: boolean;
  readonly owner?: string;
}

/** What the API has acknowledged: what must be in the registry, and nothing else, while no engine and no agent runs. */
export class AcceptedChanges {
  readonly #units = new Map<string, UnitInModel>();
  /** Every unit file that was ever stored, by the SHA-256 of its bytes: only an engine deletes them. */
  readonly #files = new Map<string, Buffer>();
  readonly #metadata = new Map<string, string>();
  readonly #applied = new AppliedUnits();
  /** How many requests have changed something. */
  count = 0;

  /** @param answer What it was answered with: below 300. */
  accept(request: RawRequest, answer: { readonly status: number; readonly body: string }): void {
    const { method, target, body } = request;
    const [, path = ''] = /^(?:https?:\/\/[^/?]*)?([^?]*)/i.exec(target) ?? [];
    const segments = path.split('/').map(decodeURIComponent);
    const route = segments.slice(0, -1).join('/');
    const name = segments.at(-1) ?? '';
    if (method === 'GET') return;
    this.count++;
    if (/^\/(fleet\/v1|v1-alpha)\/units$/.test(route) && method === 'PUT')
      this.#put(name, fieldsOf(readFirstJson(body)), answer.status);
    else if (/^\/(fleet\/v1|v1-alpha)\/units$/.test(route) && method === 'DELETE') this.#delete(name, answer.status);
    else if (/^\/(fleet\/v1|v1-alpha)$/.test(route) && name === 'machines' && method === 'PATCH')
      this.#patch(readFirstJson(body));
    else if (route === '/fleet/v2' && name === 'batch' && method === 'POST')
      this.#batch(readFirstJson(body), answer.body);
    else if (/^\/fleet\/v2\/units\/.*$/.test(route) && name === 'adopt' && method === 'POST')
      this.#adopt(segments.at(-2) ?? '', body.length === 0 ? {} : readFirstJson(body), answer.body);
    else assert.fail(`${method} ${target} is no change that there is`);
  }

  #put(name: string, fields: ReadonlyMap<string, unknown>, status: number): void {
    const before = this.#units.get(name);
    const content = contentOf(name, fields);
    const asked = String(fields.get('desiredstate') ?? '');
    if (status === 201) {
      assert.ok(content !== undefined && content.hash !== before?.hash, `${name} was created of nothing new`);
      assert.equal(before?.owner, undefined, `${name} is its owner's`);
      this.#files.set(content.file, content.bytes);
      const { hash, file, isGlobal } = content;
      const order = orderAfter(before, asked === 'launched');
      this.#units.set(name, { hash, file, desiredState: asked || 'inactive', order, isGlobal });
      return;
    }
    assert.equal(status, 204);
    assert.ok(
      before !== undefined && (content === undefined || content.hash === before.hash),
      `${name} is another one`,
    );
    const isOwners = content?.isVerbatim === true && content.file !== before.file && before.owner !== undefined;
    assert.ok(!isOwners, `${name} is its owner's`);
    if (content?.isVerbatim === true) this.#files.set(content.file, content.bytes);
    this.#units.set(name, {
      ...before,
      ...(content?.isVerbatim === true ? { file: content.file } : {}),
      desiredState: asked || before.desiredState,
      order: orderAfter(before, asked === 'launched' && before.desiredState !== 'launched'),
    });
  }

  #delete(name: string, status: number): void {
    assert.equal(status, 204);
    const before = this.#units.get(name);
    assert.ok(before !== undefined && this.#units.delete(name), `${name} was not there to be deleted`);
    assert.equal(before.owner, undefined, `${name} is its owner's`);
  }

  #adopt(name: string, request: unknown, answer: string): void {
    const before = this.#units.get(name);
    assert.ok(before !== undefined, `${name} was not there to be adopted`);
    const { owner } = (request ?? {}) as { owner?: string };
    const { owner: former, ...rest } = before;
    this.#units.set(name, owner === undefined ? rest : { ...rest, owner });
    assert.deepEqual(JSON.parse(answer), { ...(former && { former }), ...(owner && { owner }) });
  }

  #patch(operations: unknown): void {
    for (const operation of Array.isArray(operations) ? operations : []) {
      const fields = fieldsOf(operation);
      const given = fields.get('value');
      const value = typeof given === 'string' ? given : String(fieldsOf(given).get('value') ?? '');
      const key = String(fields.get('path')).slice(1).replace('/metadata/', '/');
      this.#metadata.set(`metadata/${key}`, fields.get('op') === 'remove' ? '' : value);
    }
  }

  #batch(body: unknown, answer: string): void {
    const { operations, owner } = body as BatchInModel;
    const { results } = JSON.parse(answer) as { results: readonly ResultInModel[] };
    for (const [at, { op, name, unit }] of operations.entries()) {
      const result = results[at];
      assert.ok(result !== undefined && result.name === (name ?? unit?.name));
      if (result.status >= 300) continue;
      if (owner !== undefined && op === 'put') this.#hold(owner, result, fieldsOf(unit));
      else if (owner !== undefined) this.#drop(owner, result);
      else if (op === 'put') this.#put(result.name, fieldsOf(unit), result.status);
      else this.#delete(result.name, result.status);
    }
  }

  #hold(owner: string, { name, status, effect }: ResultInModel, fields: ReadonlyMap<string, unknown>): void {
    const before = this.#units.get(name);
    const content = contentOf(name, fields);
    assert.ok(content !== undefined && (before === undefined || before.owner === owner), `${name} is another's`);
    this.#applied.hold(owner, name, content.file);
    const isOther = before?.hash !== content.hash;
    const isNewFile = isOther || (content.isVerbatim && before.file !== content.file);
    const expected = before === undefined ? 'created' : isOther ? 'replaced' : isNewFile ? 'updated' : 'unchanged';
    assert.deepEqual([status, effect], [isOther ? 201 : 204, expected], name);
    if (!isNewFile) return;
    this.#files.set(content.file, content.bytes);
    const desiredState = unitNameParts(parseUnitName(name)).isTemplate
      ? 'inactive'
      : String(fields.get('desiredstate') || 'launched');
    const isOrdered = desiredState === 'launched' && (isOther || before?.desiredState !== 'launched');
    const { hash, file, isGlobal } = content;
    this.#units.set(name, { hash, file, desiredState, order: orderAfter(before, isOrdered), isGlobal, owner });
  }

  #drop(owner: string, { name, status, effect }: ResultInModel): void {
    this.#applied.drop(owner, name);
    const isOwn = this.#units.get(name)?.owner === owner;
    assert.deepEqual([status, effect], [204, isOwn ? 'destroyed' : 'kept'], name);
    if (effect === 'destroyed') this.#units.delete(name);
  }

  /** What the registry must hold: decoded records, and the bytes of unit files in hex, by key. */
  expected(): ReadonlyMap<string, unknown> {
    const kept = new Map<string, unknown>();
    for (const [name, unit] of this.#units) {
      kept.set(`units/${name}`, unit);
      if (unit.isGlobal) kept.set(`globals/${name}`, unit);
    }
    for (const [sha256, bytes] of this.#files) kept.set(`unit-files/${sha256}`, bytes.toString('hex'));
    for (const [key, value] of this.#metadata) kept.set(key, { value });
    return new Map([...kept, ...this.#applied.expected()]);
  }
}

interface BatchInModel {
  readonly operations: readonly { op: string; name?: string; unit?: { name: string } }[];
  readonly owner?: string;
}

interface ResultInModel {
  readonly name: string;
  readonly status: number;
  readonly effect?: string;
}

function orderAfter(before: UnitInModel | undefined, isOrdered: boolean): number | undefined {
  if (before === undefined) return isOrdered ? 1 : 0;
  if (!isOrdered || before.order === undefined) return before.order;
  return before.isGlobal ? undefined : before.order + 1;
}

function contentOf(name: string, fields: ReadonlyMap<string, unknown>) {
  const text = String(fields.get('file') ?? '');
  const given = fields.get('options');
  const options = (Array.isArray(given) ? given : []).map((option) => {
    const named = fieldsOf(option);
    const word = (field: string) => String(named.get(field) ?? '');
    return { section: word('section'), name: word('name'), value: word('value') };
  });
  if (text === '' && options.length === 0) return undefined;
  const bytes = Buffer.from(text === '' ? formatUnitFile(unitFileFromOptions(options)) : text);
  const { file: unitFile, lines } = parseUnitFileWithLines(bytes);
  const { isGlobal } = parseRequirements({ name: parseUnitName(name), file: unitFile, lines });
  const file = createHash('sha256').update(bytes).digest('hex');
  return { bytes, file, hash: hashUnitFile(unitFile), isGlobal, isVerbatim: text !== '' };
}
