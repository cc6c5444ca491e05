const keyPattern = /^[A-Za-z0-9_.-]{1,256}$/;

/** Taste: long enough for a URL or a list, and a transaction's 128 of them fit into what etcd takes in a request. */
const mostBytes = 4096;

/** Whether a machine's metadata can have a key: fleet's rule, and a length. */
export function isMetadataKey(text: string): boolean {
  return keyPattern.test(text);
}

/** What is wrong with a value; `undefined` if it can be set. Lists and logs show values as they are. */
export function findValueProblem(value: string): string | undefined {
  if (value === '') return 'is empty';
  if (Buffer.byteLength(value) > mostBytes) return `is longer than ${mostBytes} bytes`;
  return /\p{Cc}|\p{Surrogate}/u.test(value) ? 'has control characters in it' : undefined;
}
