import { resolve } from 'node:path';
import type { UnitEntity, UnitStateEntity } from '@flotilla/schema';
import { UnitError, type UnitName, unitNameParts } from '@flotilla/unit';
import { type Change, changeUnits } from './changes.js';
import type { Context } from './context.js';
import { type CreatingVerb, type CreationStep, decideCreation, stateOfVerb } from './creation.js';
import { messageOf } from './errors.js';
import { Follow } from './follow.js';
import { type ChosenUnit, selectUnits } from './selection.js';
import { parseUnitArguments } from './unit-arguments.js';
import {
  isGlobalContent,
  isGlobalUnit,
  isOneshotFile,
  type LocalContent,
  LocalUnitFiles,
  StoredTemplates,
  storedContent,
  toOptionEntities,
  type UnitContent,
} from './unit-content.js';
import { findIgnored } from './unit-problems.js';
import { isRunning } from './verdict.js';

/** What `submit`, `load` and `start` are asked to do. */
export interface BringUpRequest {
  readonly verb: CreatingVerb;
  readonly units: readonly string[];
  readonly isReplacing: boolean;
  /** Options of `[X-Fleet]` that are not known are told of, and no reason to refuse a unit. */
  readonly allowUnknown: boolean;
  /** As in {@link Follow}. */
  readonly limitMs: number | undefined;
}

/**
 * Creates what is missing, asks for the verb's state, and waits for it.
 *
 * @returns The exit code.
 */
export async function bringUp(context: Context, request: BringUpRequest): Promise<number> {
  const { client, reader } = context;
  const selection = await selectUnits(client, parseUnitArguments(request.units));
  const follow = new Follow(context, request);
  for (const pattern of selection.unmatched) follow.fail(`no unit in the registry matches ${pattern}`);
  const stored = await reader.units(selection.units.map(({ name }) => name));
  const before = request.verb === 'start' ? await reader.states([...stored.keys()]) : new Map();
  const worker = new BringUp(context, request, follow);
  const plan = (chosen: ChosenUnit) => worker.plan(chosen, stored.get(chosen.name), before.get(chosen.name) ?? []);
  await changeUnits(client, {
    units: selection.units,
    follow,
    doing: doing[request.verb],
    preparing: 'creating',
    plan,
  });
  const exitCode = await follow.finish(selection.units);
  worker.tellRefused();
  return exitCode;
}

const doing: Readonly<Record<CreatingVerb, string>> = {
  submit: 'creating',
  load: 'loading',
  start: 'starting',
};

/** One run of a creating verb. */
class BringUp {
  readonly #context: Context;
  readonly #request: BringUpRequest;
  readonly #follow: Follow;
  readonly #files = new LocalUnitFiles();
  readonly #templates: StoredTemplates;
  readonly #warned = new Set<string>();
  readonly #refused: UnitName[] = [];

  constructor(context: Context, request: BringUpRequest, follow: Follow) {
    this.#context = context;
    this.#request = request;
    this.#follow = follow;
    this.#templates = new StoredTemplates(context.client);
  }

  /** What to ask for one unit, if anything. */
  async plan(
    chosen: ChosenUnit,
    stored: UnitEntity | undefined,
    before: readonly UnitStateEntity[],
  ): Promise<Change | undefined> {
    const { name, path } = chosen;
    const { verb, isReplacing } = this.#request;
    const { isTemplate } = unitNameParts(name);
    if (isTemplate && verb !== 'submit') {
      const instance = name.replace('@.', '@1.');
      this.#follow.fail(`Error: cannot ${verb} template ${name}; ${verb} an instance of it, like ${instance}`);
      return undefined;
    }
    const local = await this.#findLocal(chosen, stored);
    const needsTemplate = local === undefined ? stored === undefined || isReplacing : stored === undefined;
    const template = needsTemplate && local?.kind !== 'unit' ? await this.#templates.find(name) : undefined;
    const step = decideCreation({
      verb,
      name,
      path,
      fullPath: resolve(path),
      isReplacing,
      ...(stored && {
        stored: { desiredState: stored.desiredState, hash: storedContent(stored).hash, owner: stored.owner },
      }),
      ...(local && { local: { kind: local.kind, hash: local.hash, path: local.source } }),
      ...(template && { storedTemplate: { name: template.source, hash: template.hash } }),
    });
    this.#announce(step);
    if (step.action === 'refuse') this.#refused.push(name);
    const content = step.from === 'local' ? local : template;
    if (step.action === 'lack') this.#follow.count('failed');
    else if (step.action === 'put' && content !== undefined) return this.#put(chosen, content, stored !== undefined);
    else if (step.action === 'keep' && stored !== undefined) return this.#setState(chosen, stored, before);
    return undefined;
  }

  /** fleet exits with 0 then, so the words have to be seen: once more, below those on the other units. */
  tellRefused(): void {
    const { screen } = this.#context;
    if (this.#refused.length === 0 || this.#request.units.length === 1) return;
    screen.err(screen.palette.waiting(`Not replaced: ${this.#refused.join(' ')}`));
  }

  /** A file that cannot be read matters only if it is needed. */
  async #findLocal({ name, path }: ChosenUnit, stored: UnitEntity | undefined): Promise<LocalContent | undefined> {
    try {
      return await this.#files.find(name, path);
    } catch (error) {
      if (stored === undefined || this.#request.isReplacing) throw error;
      this.#context.screen.err(`WARNING: ${messageOf(error)}. The copy in the registry is used.`);
      return undefined;
    }
  }

  #announce({ warnings = [], note }: CreationStep): void {
    const { screen } = this.#context;
    for (const warning of warnings) screen.err(screen.palette.waiting(warning));
    if (note !== undefined) screen.out(note);
  }

  /** Once of each file: instances share that of their template. */
  #warn(content: UnitContent, allowUnknown: boolean): void {
    const { screen } = this.#context;
    if (this.#warned.has(content.source)) return;
    this.#warned.add(content.source);
    for (const { message } of findIgnored(content, { allowUnknown }))
      screen.err(screen.palette.waiting(`Warning: ${message}`));
  }

  #put({ name }: ChosenUnit, content: UnitContent, isKnown: boolean): Change {
    const { verb } = this.#request;
    const desiredState = stateOfVerb[verb];
    // What the registry holds has been taken with it once.
    const allowUnknown = this.#request.allowUnknown || content.isStored === true;
    const isGlobal = isGlobalContent(name, content, { allowUnknown });
    const options = toOptionEntities(content.file);
    if (options.length === 0) throw new UnitError('invalid-unit-file', 'the file has no options', content);
    this.#warn(content, allowUnknown);
    const settle = () => {
      if (verb === 'submit' && !isKnown) {
        this.#context.screen.out(`Unit ${name} inactive`);
        this.#follow.count('done');
      } else if (verb !== 'submit' || !isGlobal) {
        const isOneshot = isOneshotFile(content.file);
        this.#follow.add({ name, goal: desiredState, hash: content.hash, isOneshot }, { isGlobal });
      }
    };
    const unit = { name, desiredState, file: content.text, options, ...(allowUnknown && { allowUnknown }) };
    return { name, operation: { op: 'put', unit }, settle };
  }

  #setState({ name }: ChosenUnit, stored: UnitEntity, before: readonly UnitStateEntity[]): Change | undefined {
    const { verb } = this.#request;
    const desiredState = stateOfVerb[verb];
    if (verb === 'submit') return undefined;
    if (verb === 'load' && stored.desiredState === 'launched') {
      this.#context.screen.err(`Unit ${name} is launched already and stays so; fleetctl stop ${name} stops it`);
      return undefined;
    }
    // A unit that is to run and does not is started once more by the same request.
    const isAsWanted = verb === 'load' || (before.length > 0 && before.every(isRunning));
    const isKept = stored.desiredState === desiredState && isAsWanted;
    const { file, hash } = storedContent(stored);
    const expectation = { name, goal: desiredState, hash, isOneshot: isOneshotFile(file), before };
    return {
      name,
      ...(!isKept && { operation: { op: 'put', unit: { name, desiredState } } }),
      settle: () => this.#follow.add(expectation, { isGlobal: isGlobalUnit(stored) }),
    };
  }
}
