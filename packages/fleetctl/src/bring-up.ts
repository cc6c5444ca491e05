import { mapInFlight } from '@flotilla/client';
import type { UnitEntity, UnitStateEntity } from '@flotilla/schema';
import { UnitError, unitNameParts } from '@flotilla/unit';
import type { Context } from './context.js';
import { type CreatingVerb, type CreationStep, decideCreation, stateOfVerb } from './creation.js';
import { isAboutOneUnit, messageOf } from './errors.js';
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
  storedFile,
  toOptionEntities,
  type UnitContent,
} from './unit-content.js';
import { isRunning } from './verdict.js';

/** What `submit`, `load` and `start` are asked to do. */
export interface BringUpRequest {
  readonly verb: CreatingVerb;
  readonly units: readonly string[];
  readonly isReplacing: boolean;
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
  await mapInFlight(selection.units, async (chosen) => {
    try {
      await worker.ask(chosen, stored.get(chosen.name), before.get(chosen.name) ?? []);
    } catch (error) {
      if (!isAboutOneUnit(error)) throw error;
      follow.fail(`Error ${doing[request.verb]} unit ${chosen.name}: ${messageOf(error)}`);
    }
  });
  return follow.finish(selection.units);
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

  constructor(context: Context, request: BringUpRequest, follow: Follow) {
    this.#context = context;
    this.#request = request;
    this.#follow = follow;
    this.#templates = new StoredTemplates(context.client);
  }

  /** Asks for one unit. */
  async ask(chosen: ChosenUnit, stored: UnitEntity | undefined, before: readonly UnitStateEntity[]): Promise<void> {
    const { name, path } = chosen;
    const { verb, isReplacing } = this.#request;
    const { isTemplate } = unitNameParts(name);
    if (isTemplate && verb !== 'submit') {
      const instance = name.replace('@.', '@1.');
      return this.#follow.fail(`Error: cannot ${verb} template ${name}; ${verb} an instance of it, like ${instance}`);
    }
    const local = await this.#findLocal(chosen, stored);
    const needsTemplate = local === undefined ? stored === undefined || isReplacing : stored === undefined;
    const template = needsTemplate && local?.kind !== 'unit' ? await this.#templates.find(name) : undefined;
    const step = decideCreation({
      verb,
      name,
      path,
      isReplacing,
      ...(stored && { stored: { desiredState: stored.desiredState, hash: storedContent(stored).hash } }),
      ...(local && { local: { kind: local.kind, hash: local.hash, path: local.source } }),
      ...(template && { storedTemplate: { name: template.source, hash: template.hash } }),
    });
    this.#announce(step);
    const content = step.from === 'local' ? local : template;
    if (step.action === 'lack') this.#follow.count('failed');
    else if (step.action === 'put' && content !== undefined) await this.#put(chosen, content, stored !== undefined);
    else if (step.action === 'keep' && stored !== undefined) await this.#setState(chosen, stored, before);
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
    for (const warning of warnings) this.#context.screen.err(warning);
    if (note !== undefined) this.#context.screen.out(note);
  }

  async #put({ name }: ChosenUnit, content: UnitContent, isKnown: boolean): Promise<void> {
    const { verb } = this.#request;
    const isGlobal = isGlobalContent(name, content);
    const options = toOptionEntities(content.file);
    if (options.length === 0) throw new UnitError('invalid-unit-file', 'the file has no options', content);
    await this.#context.client.putUnit(name, { desiredState: stateOfVerb[verb], file: content.text, options });
    if (verb === 'submit' && !isKnown) {
      this.#context.screen.out(`Unit ${name} inactive`);
      this.#follow.count('done');
    } else if (verb !== 'submit' || !isGlobal) {
      const isOneshot = isOneshotFile(content.file);
      this.#follow.add({ name, goal: stateOfVerb[verb], hash: content.hash, isOneshot }, { isGlobal });
    }
  }

  async #setState(chosen: ChosenUnit, stored: UnitEntity, before: readonly UnitStateEntity[]): Promise<void> {
    const { name } = chosen;
    const { verb } = this.#request;
    if (verb === 'submit') return;
    if (verb === 'load' && stored.desiredState === 'launched') {
      this.#context.screen.err(`Unit ${name} is launched already and stays so; fleetctl stop ${name} stops it`);
      return;
    }
    // A unit that is to run and does not is started once more by the same request.
    const isAsWanted = verb === 'load' || (before.length > 0 && before.every(isRunning));
    if (stored.desiredState !== stateOfVerb[verb] || !isAsWanted)
      await this.#context.client.putUnit(name, { desiredState: stateOfVerb[verb] });
    const file = storedFile(stored);
    const { hash } = storedContent(stored);
    const isOneshot = isOneshotFile(file);
    this.#follow.add({ name, goal: stateOfVerb[verb], hash, isOneshot, before }, { isGlobal: isGlobalUnit(stored) });
  }
}
