import {
  type KeyRange,
  type KeyValue,
  type Operation,
  type RangeRequest,
  type RangeResult,
  type Revision,
  StoreError,
  type Transaction,
  type TransactionResult,
  type WatchEvent,
} from '@flotilla/registry';
import {
  CompareResult,
  CompareTarget,
  type ICompare,
  type IEvent,
  type IKeyValue,
  type IRangeRequest,
  type IRangeResponse,
  type IRequestOp,
  type ITxnRequest,
  type ITxnResponse,
} from 'etcd3';

/** Translates between the store's words and etcd's, for keys under one prefix. Revisions are strings on the wire. */
export class Wire {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  keyRange({ from, to }: KeyRange): { readonly key: Buffer; readonly range_end?: Buffer } {
    return to === undefined ? { key: this.#key(from) } : { key: this.#key(from), range_end: this.#key(to) };
  }

  rangeRequest(request: RangeRequest): IRangeRequest {
    const { limit, revision, keysOnly } = request;
    return {
      ...this.keyRange(request),
      ...(limit === undefined ? {} : { limit }),
      ...(revision === undefined ? {} : { revision }),
      ...(keysOnly === undefined ? {} : { keys_only: keysOnly }),
    };
  }

  transactionRequest({ compares = [], success, failure = [] }: Transaction): ITxnRequest {
    return {
      compare: compares.map(({ key, to, on, equals }): ICompare => {
        const range = this.keyRange({ from: key, ...(to === undefined ? {} : { to }) });
        const what = { ...range, result: CompareResult.Equal };
        return on === 'create-revision'
          ? { ...what, target: CompareTarget.Create, create_revision: equals }
          : { ...what, target: CompareTarget.Mod, mod_revision: equals };
      }),
      success: success.map((operation) => this.#operation(operation)),
      failure: failure.map((operation) => this.#operation(operation)),
    };
  }

  transactionResult(transaction: Transaction, response: ITxnResponse): TransactionResult {
    const revision = parseRevision(response.header.revision);
    const branch = response.succeeded ? transaction.success : (transaction.failure ?? []);
    const ranges: RangeResult[] = [];
    for (const [index, operation] of branch.entries()) {
      const answer = response.responses[index];
      if (operation.kind === 'range' && answer !== undefined) ranges.push(this.rangeResult(answer.response_range));
    }
    return { succeeded: response.succeeded, revision, ranges };
  }

  rangeResult({ kvs, header, more }: IRangeResponse): RangeResult {
    return { kvs: kvs.map((kv) => this.#keyValue(kv)), revision: parseRevision(header.revision), hasMore: more };
  }

  event({ type, kv }: IEvent): WatchEvent {
    // etcd3 declares the names as `Put` and `Delete`; at run time they are those of the .proto, in capitals.
    return type.toUpperCase() === 'DELETE'
      ? { kind: 'delete', key: this.#name(kv.key), modRevision: parseRevision(kv.mod_revision) }
      : { kind: 'put', kv: this.#keyValue(kv) };
  }

  #operation(operation: Operation): IRequestOp {
    switch (operation.kind) {
      case 'put': {
        const { key, value, lease } = operation;
        return {
          request_put: { key: this.#key(key), value: asBuffer(value), ...(lease === undefined ? {} : { lease }) },
        };
      }
      case 'delete':
        return { request_delete_range: this.keyRange(operation) };
      case 'range':
        return { request_range: this.rangeRequest(operation) };
    }
  }

  #keyValue(kv: IKeyValue): KeyValue {
    return {
      key: this.#name(kv.key),
      value: kv.value,
      createRevision: parseRevision(kv.create_revision),
      modRevision: parseRevision(kv.mod_revision),
      lease: kv.lease === '0' ? undefined : kv.lease,
    };
  }

  #key(key: string): Buffer {
    return Buffer.from(this.#prefix + key);
  }

  #name(key: Buffer): string {
    return key.toString().slice(this.#prefix.length);
  }
}

/** @throws StoreError if the revision does not fit a number. */
export function parseRevision(text: string): Revision {
  const revision = Number(text);
  if (!Number.isSafeInteger(revision)) throw new StoreError('refused', `revision ${text} does not fit a number`);
  return revision;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
