import { groupedBySection } from './canonical.js';
import { shownName, UnitError } from './errors.js';
import { type PhysicalLine, physicalLines } from './physical-lines.js';
import type { UnitFile, UnitOption } from './unit-model.js';
import { trim, trimStart } from './white-space.js';

/** A unit file with the place of each option. */
export interface UnitFileWithLines {
  readonly file: UnitFile;
  /** For each option of `file`, the number of the line that it starts on, counted from 1. */
  readonly lines: readonly number[];
}

/** Bytes of a line without its line end. fleet's number: the line and its newline fit in 2048 bytes. */
const longestLineBytes = 2047;

/**
 * The options of a unit file, given as text or bytes.
 *
 * Options of a section that is opened twice come together, in canonical order. Bytes that are not UTF-8 may stand in
 * comments only. What stands before the first section is ignored, as systemd does.
 *
 * @param source What errors call the file.
 * @throws UnitError `invalid-unit-file` with source, line, section and option as far as they are known; nothing else.
 * @see coreos/go-systemd unit/deserialize.go, whose reading of valid files this one shares
 */
export function parseUnitFile(text: string | Uint8Array, source?: string): UnitFile {
  return parseUnitFileWithLines(text, source).file;
}

/** {@link parseUnitFile}, and the line of each option. */
export function parseUnitFileWithLines(text: string | Uint8Array, source?: string): UnitFileWithLines {
  const cursor: Cursor = { lines: physicalLines(text), next: 0, source, section: undefined };
  const entries: Entry[] = [];
  while (cursor.next < cursor.lines.length) {
    const line = takeLine(cursor);
    const start = cursor.section === undefined ? line.text.slice(junkLength(line.text)) : trimStart(line.text);
    if (start === '') continue;
    if (start.startsWith('#') || start.startsWith(';')) skipComment(cursor, start);
    else if (start.startsWith('[')) cursor.section = readHeader(cursor, start, line);
    else entries.push(readOption(cursor, start, line));
  }
  const grouped = groupedBySection(entries, ({ option }) => option.section);
  return { file: { options: grouped.map(({ option }) => option) }, lines: grouped.map(({ line }) => line) };
}

interface Entry {
  readonly option: UnitOption;
  readonly line: number;
}

interface Cursor {
  readonly lines: readonly PhysicalLine[];
  /** Index of the line to take next, which is the number of the line taken last. */
  next: number;
  readonly source: string | undefined;
  section: string | undefined;
}

const nothing: PhysicalLine = { text: '', isText: true };

function takeLine(cursor: Cursor, option?: string): PhysicalLine {
  const line = cursor.lines[cursor.next++] ?? nothing;
  if (Buffer.byteLength(line.text) > longestLineBytes)
    fail(cursor, `line too long (max ${longestLineBytes + 1} bytes)`, { option });
  return line;
}

/** How much of a line before the first section is skipped: up to a header or a comment. */
function junkLength(text: string): number {
  const index = text.search(/[[#;]/);
  return index < 0 ? text.length : index;
}

/** A comment goes on as long as its lines end in a backslash, with or without one blank after it. */
function skipComment(cursor: Cursor, start: string): void {
  let text = start;
  while (/\\ ?$/.test(text) && cursor.next < cursor.lines.length) text = takeLine(cursor).text;
}

function readHeader(cursor: Cursor, start: string, line: PhysicalLine): string {
  const end = start.indexOf(']');
  if (end < 0) fail({ ...cursor, section: undefined }, `unable to find end of section: ${quoted(start)}`);
  const section = start.slice(1, end);
  const garbage = trim(start.slice(end + 1));
  const header = { ...cursor, section };
  if (garbage !== '') fail(header, `found garbage after section name [${shownName(section)}]: ${quoted(garbage)}`);
  checkText(header, line);
  return section;
}

function readOption(cursor: Cursor, start: string, first: PhysicalLine): Entry {
  const line = cursor.next;
  const end = start.indexOf('=');
  const name = trim(start.slice(0, Math.max(end, 0)));
  if (end < 0 || name.includes('\r'))
    fail(cursor, `unexpected newline encountered while parsing option name ${quoted(start)}`);
  checkText(cursor, first, name);
  let value = '';
  let text = start.slice(end + 1);
  while (trim(text) !== '') {
    value += text;
    if (!text.endsWith('\\')) break;
    // At the end of the file too, so that the canonical text reads the same again.
    value += '\n';
    const next = takeLine(cursor, name);
    checkText(cursor, next, name);
    text = next.text;
  }
  // A newline at the end stands for the blank line that ended the value.
  const ending = value.endsWith('\n') ? '\n' : '';
  return { option: { section: cursor.section ?? '', name, value: trim(value) + ending }, line };
}

function checkText(cursor: Cursor, line: PhysicalLine, option?: string): void {
  if (!line.isText) fail(cursor, 'is not valid UTF-8', { option });
}

function fail(cursor: Cursor, problem: string, { option }: { option?: string | undefined } = {}): never {
  const { source, section, next: line } = cursor;
  throw new UnitError('invalid-unit-file', problem, { source, line, section, option });
}

/** Enough of a text to recognise it by. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
