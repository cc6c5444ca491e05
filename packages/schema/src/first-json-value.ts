/**
 * The first JSON value of a text; what follows an object, an array or null is ignored, as Go's decoder does on a stream.
 *
 * @throws SyntaxError if there is none.
 */
export function firstJsonValue(text: string): unknown {
  if (text.trim() === '') throw new SyntaxError('EOF');
  try {
    return JSON.parse(text);
  } catch (error) {
    if (/^[ \t\r\n]*null\b/.test(text)) return null;
    const end = endOfFirstContainer(text);
    if (end === undefined) throw error;
    return JSON.parse(text.slice(0, end));
  }
}

/** Where the first object or array in `text` ends; `undefined` if it doesn't. */
function endOfFirstContainer(text: string): number | undefined {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (isInString) {
      if (char === '\\') at++;
      else if (char === '"') isInString = false;
    } else if (char === '"') isInString = true;
    else if (char === '{' || char === '[') depth++;
    else if ((char === '}' || char === ']') && --depth <= 0) return at + 1;
  }
  return undefined;
}
