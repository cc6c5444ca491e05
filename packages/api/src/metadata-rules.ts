const keyPattern = /^[A-Za-z0-9_.-]+$/;

/** Taste: long enough for a URL or a list, and a transaction's 128 of them fit into what etcd takes in a request. */
const longestValue = 4096;

/** Whether a machine's metadata can have a key; fleet's rule. */
export function isMetadataKey(text: string): boolean {
  return keyPattern.test(text);
}

/** What is wrong with a value; `undefined` if it can be set. Lists and logs show values as they are. */
export function findValueProblem(value: string): string | undefined {
  if (value === '') return 'is empty';
  if (value.length > longestValue) return `is longer than ${longestValue} characters`;
  return /\p{Cc}|\p{Surrogate}/u.test(value) ? 'has control characters in it' : undefined;
}
