import { parseUnitName, type UnitName, unitNameParts } from '@flotilla/unit';
import { readInstanceList } from './instance-list.js';
import type { Offer, ReadEntry } from './offers.js';

type ListEntry = Extract<ReadEntry, { readonly kind: 'list' }>;

/** What a folder has besides lists. */
interface FolderOffers {
  readonly offers: ReadonlyMap<UnitName, unknown>;
  /** A bundle can't be read: there may be more templates. */
  readonly hasUnread: boolean;
}

/** What lists of instances ask for. */
export function listedOffers(
  lists: readonly ListEntry[],
  { offers, hasUnread }: FolderOffers,
  onBroken: (source: string, problem: { readonly line?: number; readonly message: string }) => void,
): Offer[] {
  if (lists.length === 0) return [];
  const templates = [...offers.keys()].filter((name) => unitNameParts(name).isTemplate).sort();
  return lists.flatMap(({ source, prefix, bytes }) => {
    const chosen = chooseTemplate(prefix, templates, hasUnread ? 'some' : 'all');
    if (chosen.problem !== undefined) onBroken(source, { message: chosen.problem });
    const { instances, problems } = readInstanceList(bytes, chosen.template);
    for (const problem of problems) onBroken(source, problem);
    if (chosen.problem !== undefined) return [];
    const content = { kind: 'template', template: chosen.template } as const;
    return instances.map(({ name, line }) => ({ name, source, line, content }));
  });
}

interface ChosenTemplate {
  /** If it is not among the folder's, lines are checked with it all the same. */
  readonly template: UnitName;
  readonly problem?: string;
}

function chooseTemplate(prefix: string, templates: readonly UnitName[], known: 'all' | 'some'): ChosenTemplate {
  const usual = parseUnitName(`${prefix}@.service`);
  if (templates.includes(usual)) return { template: usual };
  if (known === 'some')
    return { template: usual, problem: `lists instances of ${usual}, which may be in a bundle that is broken` };
  const others = templates.filter((name) => unitNameParts(name).prefix === prefix);
  const [only = usual] = others;
  if (others.length === 1) return { template: only };
  const problem =
    others.length === 0
      ? `lists instances of ${usual}, which is not there: put it beside the list, or remove the list`
      : `lists instances of ${others.join(' or ')}, nobody knows of which: name each by a link of its own`;
  return { template: usual, problem };
}
