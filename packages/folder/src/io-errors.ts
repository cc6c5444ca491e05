/** The code of an error that the system answered, as `ENOENT`. What is no such error is thrown on. */
export function errorCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  throw error;
}

/** What the system says, in its words and without the path. */
export function errorText(error: unknown): string {
  const code = errorCode(error);
  const text = error instanceof Error ? error.message.replace(/^[A-Z0-9]+: /, '').replace(/, \w+( '.*)?$/s, '') : '';
  return text === '' ? code : `${text} (${code})`;
}
