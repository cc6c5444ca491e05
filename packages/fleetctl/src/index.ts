export { type RunOptions, run } from './run.js';
export { plainTerminal, type Terminal } from './terminal.js';
