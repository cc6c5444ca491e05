// Loaded into every test process: how often a property is tried, unless the property says it itself.
import './plain-exit.mjs';
import { configureGlobal } from 'fast-check';

const runsByLength = { short: 200, long: 5_000 };

configureGlobal({ numRuns: runsByLength[process.env.FLOTILLA_TEST_LENGTH] ?? runsByLength.short });

// Programs that a test starts are not test processes.
delete process.env.NODE_OPTIONS;
