import { everywhere, exactly, type Line, on, one, owned, testLines, two } from './testing/lines.js';

const lowering: readonly Line[] = [
  {
    line: 'stop a b',
    units: { 'a.service': [one, 'launched'], 'b.service': [one, 'launched'] },
    stdout: exactly(
      `Unit a.service loaded${on}`,
      `Unit b.service loaded${on}`,
      String.raw`Successfully stopped units \[a.service b.service\]\.`,
    ),
    leaves: { 'a.service': 'loaded', 'b.service': 'loaded' },
  },
  { line: 'stop --no-block a', units: { 'a.service': [one, 'launched'] }, stdout: 'Triggered unit a.service stop\n' },
  {
    line: 'stop g',
    units: { 'g.service': [everywhere, 'launched'] },
    stdout: 'Triggered global unit g.service stop\n',
  },
  {
    line: 'stop a',
    units: { 'a.service': [one, 'loaded'] },
    stdout: exactly(`Unit a.service loaded${on}`, String.raw`Successfully stopped units \[a.service\]\.`),
  },
  {
    line: 'stop idle a',
    units: { 'idle.service': [one, 'inactive'], 'a.service': [one, 'launched'] },
    stdout: exactly(`Unit a.service loaded${on}`, String.raw`Successfully stopped units \[a.service\]\.`),
    stderr: 'Unable to stop unit idle.service in state inactive\n',
    exit: 1,
  },
  { line: 'stop none', stderr: 'Unit none.service does not exist.\n', exit: 1 },
  { line: 'stop x*', stderr: 'no unit in the registry matches x*.service\n', exit: 1 },
  {
    line: 'stop waits',
    units: { 'waits.service': [one, 'launched'] },
    homeless: ['waits.service'],
    stdout: 'Unit waits.service inactive\nSuccessfully stopped units [waits.service].\n',
    leaves: { 'waits.service': 'loaded' },
  },
  {
    line: 'unload a waits',
    units: { 'a.service': [one, 'launched'], 'waits.service': [one, 'launched'] },
    homeless: ['waits.service'],
    stdout:
      'Unit a.service inactive\nUnit waits.service inactive\nSuccessfully unloaded units [a.service waits.service].\n',
    leaves: { 'a.service': 'inactive', 'waits.service': 'inactive' },
  },
  { line: 'unload --no-block a', units: { 'a.service': [one, 'loaded'] }, stdout: 'Triggered unit a.service unload\n' },
  {
    line: 'unload g',
    units: { 'g.service': [everywhere, 'launched'] },
    stdout: 'Triggered global unit g.service unload\n',
  },
  {
    line: 'unload a',
    units: { 'a.service': [one, 'launched'] },
    refusals: { 'a.service': [409, 'no'] },
    stderr: 'Error unloading units: a.service: no\n',
    exit: 1,
  },
  {
    line: 'destroy a none b',
    units: { 'a.service': [one, 'launched'], 'b.service': [one, 'inactive'] },
    stdout: 'Destroyed a.service\nDestroyed b.service\n',
    stderr: 'Unit none.service does not exist.\n',
    exit: 1,
    leaves: { 'a.service': undefined, 'b.service': undefined },
  },
  { line: 'destroy --no-block a', units: { 'a.service': [one, 'launched'] }, stdout: 'Destroyed a.service\n' },
  {
    line: 'destroy t@*',
    units: { 't@.service': [one, 'inactive'], 't@1.service': [one, 'launched'] },
    stdout: 'Destroyed t@.service\nDestroyed t@1.service\n',
  },
  {
    line: 'destroy a b',
    units: { 'a.service': [one, 'inactive'], 'b.service': [one, 'inactive'] },
    refusals: { 'a.service': [409, 'no'] },
    stdout: 'Destroyed b.service\n',
    stderr: 'Error destroying units: a.service: no\n',
    exit: 1,
  },
  {
    line: 'destroy a b',
    units: { 'a.service': [one, 'launched'], 'b.service': [one, 'inactive'] },
    refusals: { 'a.service': [409, owned] },
    stdout: 'Destroyed b.service\n',
    stderr: `Error destroying units: ${owned}\n`,
    exit: 1,
    leaves: { 'a.service': 'launched' },
  },
  { line: 'cat a', units: { 'a.service': [two, 'inactive'] }, stdout: two },
  { line: 'cat t@.service', units: { 't@.service': ['[A]\nb=c', 'inactive'] }, stdout: '[A]\nb=c' },
  { line: 'cat none', stderr: 'Unit none.service not found\n', exit: 1 },
];

testLines(lowering);
