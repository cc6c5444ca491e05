import './early-signals.js';
import './small-heap.js';
import { FleetError, version } from '@flotilla/errors';
import { createLogger, isJournal, type LeveledLogger, type Logger } from '@flotilla/runtime';
import { runDaemon } from './daemon.js';
import { takeEarlySignals } from './early-signals.js';
import { parseFlags } from './flags.js';
import { createReload, type LoadedConfig, loadConfig } from './load-config.js';
import { takeSignals } from './signals.js';
import { readAccount } from './user-places.js';

/** What people find the process by: `pidof fleetd`. */
process.title = 'fleetd';
// What a library does that Node has come to advise against is nothing that an operator can see to.
process.noDeprecation = true;

void main();

async function main(): Promise<void> {
  const command = await parseFlags(process.argv.slice(2));
  if (command.kind !== 'run') for (const signal of takeEarlySignals()) process.kill(process.pid, signal);
  switch (command.kind) {
    case 'version':
      process.stdout.write(`fleetd version ${version}\n`);
      return;
    case 'help':
      // fleet's flag wrote to standard error; what a person asks for is to be read page by page.
      (process.argv[2] === '-help' ? process.stderr : process.stdout).write(`${command.text}\n`);
      return;
    case 'usage':
      process.stderr.write(`${command.text}\n`);
      process.exitCode = 1;
      return;
    case 'install':
      try {
        const { runInstall } = await import('./install/run-install.js');
        await runInstall(command.request, (line) => process.stdout.write(`${line}\n`));
      } catch (error) {
        if (!(error instanceof FleetError)) throw error;
        process.stderr.write(`fleetd: ${error.message}\n${error.hint === undefined ? '' : `${error.hint}\n`}`);
        process.exitCode = 1;
      }
      return;
    case 'run': {
      const log = createLog();
      const signals = takeSignals({ log, write: (text) => process.stdout.write(text) });
      for (const signal of takeEarlySignals()) process.emit(signal, signal);
      // Nobody reads standard output any more: no reason to end.
      process.stdout.on('error', (error) => log.debug('standard output', { error }));
      const { configFile, isUser, flags } = command;
      const sources = { configFile, isUser, account: readAccount(), flags, environment: process.env };
      const loaded = await orExit(loadConfig(sources), log);
      log.setLevel(loaded.config.logLevel);
      sayNotes(loaded, log);
      await orExit(runDaemon({ loaded, reload: createReload(sources, loaded), signals, log }), log);
      // Whatever a library has left open must not keep a daemon that has ended.
      process.exit(0);
    }
  }
}

function createLog(): LeveledLogger {
  return createLogger({ level: 'info', format: isJournal(process.env.JOURNAL_STREAM) ? 'journal' : 'text' });
}

function sayNotes({ notes }: LoadedConfig, log: Logger): void {
  for (const { level, message } of notes) log[level](message);
}

/** A user's mistake is told in words; only a bug of ours shows a stack. */
async function orExit<T>(promise: Promise<T>, log: Logger): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof FleetError) log.error(error.message, error.hint === undefined ? {} : { hint: error.hint });
    else log.error('fleetd failed', { error });
    process.exit(1);
  }
}
