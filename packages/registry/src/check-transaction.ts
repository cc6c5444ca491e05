import { endOf } from './memory-history.js';
import { maxTransactionSize, type Operation, StoreError, type Transaction } from './store.js';

/** etcd's default `--max-request-bytes`: 1.5 MiB. */
const maxRequestBytes = 1.5 * 1024 * 1024;

/** Throws what etcd refuses before it looks at any key. */
export function checkTransaction({ compares = [], success, failure = [] }: Transaction): void {
  if (compares.length > maxTransactionSize) refuse(`${compares.length} compares in a transaction`);
  let bytes = 0;
  for (const branch of [success, failure]) {
    if (branch.length > maxTransactionSize) refuse(`${branch.length} operations in a transaction`);
    checkOverlaps(branch);
    for (const operation of branch) {
      if (operation.kind === 'put') bytes += operation.key.length + operation.value.length;
      else if (operation.from === '') refuse('an empty key');
    }
  }
  if (bytes > maxRequestBytes) refuse(`a transaction of ${bytes} bytes`);
}

/** A transaction may put a key once, and may not put what it deletes. */
function checkOverlaps(branch: readonly Operation[]): void {
  const put = new Set<string>();
  for (const operation of branch) {
    if (operation.kind !== 'put') continue;
    if (operation.key === '') refuse('an empty key');
    if (put.has(operation.key)) refuse(`${operation.key} twice in a transaction`);
    put.add(operation.key);
  }
  for (const operation of branch) {
    if (operation.kind !== 'delete') continue;
    for (const key of operation.to === undefined ? [operation.from].filter((from) => put.has(from)) : put) {
      if (key >= operation.from && key < endOf(operation)) refuse(`${key} put and deleted in a transaction`);
    }
  }
}

function refuse(what: string): never {
  throw new StoreError('refused', `the store does not take ${what}`);
}
