import type { Page, PageRequest } from '@flotilla/registry';
import { nextPageToken, parsePageToken } from './page-token.js';
import type { RoutedRequest } from './resource.js';
import { failure, json } from './responses.js';

/** How a list answers: where its entries come from, and how the page says them. */
export interface ListOf<T> {
  /** The field that holds the entries. */
  readonly field: string;
  readonly read: (request: PageRequest) => Promise<Page<T>>;
  readonly toEntity: (entry: T) => object;
  /** Further fields of the page. */
  readonly readBeside?: () => Promise<object>;
}

/** The most entries that a client gets on a page by asking for so many: some 50 ms of this process's time. */
const largestPage = 1000;

/** How many entries the query's `limit` wants on a page; what is no such number is ignored, as in fleet. */
function pageLimit({ deps, query }: RoutedRequest): number {
  const wanted = query.get('limit') ?? '';
  return /^[1-9]\d{0,8}$/.test(wanted) ? Math.min(Number(wanted), largestPage) : deps.pageLimit;
}

/** A page of a list: the one that the query's token asks for, or the first one. */
export async function answerPage<T>(routed: RoutedRequest, list: ListOf<T>) {
  const { query } = routed;
  const limit = pageLimit(routed);
  const parsed = parsePageToken(query.getAll('nextPageToken'), limit);
  if (parsed.kind === 'refused') return failure(400, parsed.why);
  const { page, after } = parsed.token;
  const skip = after === undefined ? (page - 1) * limit : 0;
  const { entries, next } = await list.read({ limit, after, skip });
  const fields = {
    ...(await list.readBeside?.()),
    ...(next === undefined ? {} : { nextPageToken: nextPageToken(limit, { page, after: next }) }),
    ...(entries.length === 0 ? {} : { [list.field]: entries.map(list.toEntity) }),
  };
  return json(Object.fromEntries(Object.entries(fields).sort(([one], [other]) => (one < other ? -1 : 1))));
}
