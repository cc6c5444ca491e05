/** One life of a unit on one host, as the unit itself has noted it. */
export interface Run {
  readonly unit: string;
  readonly host: string;
  /** Epoch milliseconds. */
  readonly startMs: number;
  /** `undefined`: it has not ended. */
  readonly endMs: number | undefined;
  /** systemd's `$SERVICE_RESULT`; `power-cut` if the host was cut from power; `again` if a start came without a stop. */
  readonly result: string | undefined;
}

export interface PowerCut {
  readonly host: string;
  readonly atMs: number;
}

interface Note {
  readonly atMs: number;
  readonly host: string;
  readonly unit: string;
  readonly what: string;
  readonly result: string;
}

/**
 * The program of which units note their starts and stops: a line each, with one write, by bash alone, as a hundred of
 * these a minute are to cost little.
 */
export function noteProgram(log: string): string {
  return `#!/bin/bash
printf '%s %s %s %s %s %s\\n' "$EPOCHREALTIME" "$HOSTNAME" "$2" "$1" "\${SERVICE_RESULT:--}" "$INVOCATION_ID" >>${log}
`;
}

/** A line for the log about a stop that the unit could not note itself. */
export function stopNote({ unit, host, atMs }: Pick<Note, 'unit' | 'host' | 'atMs'>): string {
  return `${(atMs / 1_000).toFixed(6)} ${host} ${unit} stop signal -\n`;
}

/** Puts the notes of all hosts together. Runs are in the order of their starts. */
export function readRuns(text: string, cuts: readonly PowerCut[]): Run[] {
  const notes = text.split('\n').flatMap(parseNote);
  const cutNotes = cuts.map(({ host, atMs }): Note => ({ host, atMs, unit: '', what: 'power-cut', result: '' }));
  const events = [...notes, ...cutNotes].sort((one, other) => one.atMs - other.atMs);
  const runs: Run[] = [];
  const open = new Map<string, Run>();
  const end = (key: string, endMs: number, result: string) => {
    const run = open.get(key);
    if (run === undefined) return;
    open.delete(key);
    runs.push({ ...run, endMs, result });
  };
  for (const { host, unit, atMs, what, result } of events) {
    const key = `${host} ${unit}`;
    if (what === 'power-cut') {
      for (const [each, run] of [...open]) if (run.host === host) end(each, atMs, what);
    } else if (what === 'stop') end(key, atMs, result);
    else {
      end(key, atMs, 'again');
      open.set(key, { unit, host, startMs: atMs, endMs: undefined, result: undefined });
    }
  }
  return [...runs, ...open.values()].sort((one, other) => one.startMs - other.startMs);
}

function parseNote(line: string): Note[] {
  const [seconds = '', host = '', unit = '', what = '', result = ''] = line.split(' ');
  const atMs = Number(seconds) * 1_000;
  return what === '' || Number.isNaN(atMs) ? [] : [{ atMs, host, unit, what, result }];
}

/** Two runs of a unit on two hosts at the same time. */
export interface Overlap {
  readonly older: Run;
  readonly newer: Run;
  readonly lengthMs: number;
}

/** @param nowMs Until when runs that have not ended last. */
export function overlaps(runs: readonly Run[], nowMs: number): Overlap[] {
  const found: Overlap[] = [];
  for (const [at, older] of runs.entries()) {
    for (const newer of runs.slice(at + 1)) {
      if (newer.unit !== older.unit || newer.host === older.host) continue;
      const lengthMs = Math.min(older.endMs ?? nowMs, newer.endMs ?? nowMs) - newer.startMs;
      if (lengthMs > 0) found.push({ older, newer, lengthMs });
    }
  }
  return found;
}
