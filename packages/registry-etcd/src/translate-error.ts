import { refusalText, StoreError, type StoreRefusal } from '@flotilla/registry';
import {
  ClientClosedError,
  EtcdAuthenticationFailedError,
  EtcdLeaseInvalidError,
  EtcdPermissionDeniedError,
  GRPCFailedPreconditionError,
  GRPCInvalidArgumentError,
  GRPCNotImplementedError,
  GRPCOutOfRangeError,
  GRPCResourceExhastedError,
  GRPCUnauthenticatedError,
} from 'etcd3';

const refusals = [
  EtcdAuthenticationFailedError,
  EtcdPermissionDeniedError,
  GRPCFailedPreconditionError,
  GRPCInvalidArgumentError,
  GRPCNotImplementedError,
  GRPCOutOfRangeError,
  GRPCResourceExhastedError,
  GRPCUnauthenticatedError,
];

/**
 * Texts of failures in which nothing was carried out for sure: grpc-js had no connection to send on, or etcd turned
 * the call away before it looked at it. etcd3 keeps no codes, so there is only the text.
 */
const notCarriedOut = [
  'No connection established',
  'etcdserver: no leader',
  'etcdserver: not capable',
  'etcdserver: too many requests',
  'etcdserver: auth token ran out',
];

/** etcd's texts when it stores nothing because of an alarm. It looks at its alarms before it carries anything out. */
const refusalTexts: readonly (readonly [text: string, refusal: StoreRefusal])[] = [
  ['etcdserver: mvcc: database space exceeded', 'no-space'],
  ['etcdserver: corrupt cluster', 'corrupt'],
];

/**
 * What etcd3 or grpc-js threw, as the store's own error.
 *
 * @param hasEffect Whether the call writes: a write that got no answer may have been carried out all the same.
 */
export function translateError(error: unknown, hasEffect: boolean): StoreError {
  if (error instanceof StoreError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const refusal = refusalTexts.find(([text]) => message.includes(text))?.[1];
  if (refusal !== undefined) return new StoreError('refused', refusalText(refusal), { refusal });
  const kind = () => {
    if (error instanceof EtcdLeaseInvalidError) return 'no-lease';
    if (message.includes('revision has been compacted')) return 'compacted';
    if (error instanceof ClientClosedError) return 'unavailable';
    if (notCarriedOut.some((text) => message.includes(text))) return 'unavailable';
    if (refusals.some((refusal) => error instanceof refusal)) return 'refused';
    return hasEffect ? 'uncertain' : 'unavailable';
  };
  // Without the cause: its stack lies inside grpc-js, and its text would only be said twice.
  return new StoreError(kind(), inWords(message));
}

/** grpc-js wraps the reason for a missing connection into a status and a note; etcd's own texts follow the status. */
function inWords(message: string): string {
  const alert = /SSL routines:[^:]*:([^:]+):/.exec(message);
  if (alert !== null) return `cannot reach etcd: ${alert[1]}`;
  const noConnection =
    /No connection established\. Last error: (?:Error: )?(.*?)(?: \(\d{4}-[^)]*\))?\.?\s*(?:Resolution note:.*)?$/s.exec(
      message,
    );
  if (noConnection !== null) return `cannot reach etcd: ${noConnection[1] === 'null' ? 'it hung up' : noConnection[1]}`;
  return `etcd: ${message.replace(/^\d+ [A-Z_]+: /, '')}`;
}
