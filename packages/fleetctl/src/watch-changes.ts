/** How a list has changed in one place. */
export interface ListChange<Row> {
  readonly change: 'added' | 'changed' | 'removed';
  /** As it is now; of one that was removed, as it was. */
  readonly row: Row;
}

/** What is compared: `text` says whether a row is as it was. */
export interface WatchedRow {
  readonly text: string;
}

/** What makes one list of another, both by key: first what is gone, then the rest in the order of the new list. */
export function changesBetween<Row extends WatchedRow>(
  before: ReadonlyMap<string, Row>,
  now: ReadonlyMap<string, Row>,
): ListChange<Row>[] {
  const changes: ListChange<Row>[] = [];
  for (const [key, row] of before) if (!now.has(key)) changes.push({ change: 'removed', row });
  for (const [key, row] of now) {
    const old = before.get(key);
    if (old === undefined) changes.push({ change: 'added', row });
    else if (old.text !== row.text) changes.push({ change: 'changed', row });
  }
  return changes;
}
