import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Bench, openBench } from './testing/process.js';

const program = fileURLToPath(new URL('main.js', import.meta.url));
const web = '[Service]\nExecStart=/bin/sleep 100\n';
const [columns, rows] = [50, 6];
const skip =
  spawnSync('script', ['-qec', 'true', '/dev/null']).status !== 0 &&
  'no pseudo-terminal: script of util-linux is missing';

/** fleetctl on a terminal of its own, and what it shows there. */
class Pty {
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;
  #shown = '';
  #waiting: { readonly what: RegExp; resolve(): void } | undefined;

  /** It ends with the test, whatever became of that. */
  constructor(context: TestContext, { api }: Bench, line: string) {
    const command = `stty rows ${rows} cols ${columns}; exec "${process.execPath}" "${program}" ${line}`;
    const env = { PATH: process.env.PATH ?? '', TERM: 'xterm', SHELL: '/bin/sh', FLEETCTL_ENDPOINT: api.endpoint };
    this.#child = spawn('script', ['-qec', command, '/dev/null'], { cwd: api.folder, env });
    context.after(() => this.#child.kill('SIGKILL'));
    this.#exit = new Promise((resolve) => this.#child.on('close', resolve));
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#shown += text;
      if (this.#waiting?.what.test(this.#shown) === true) this.#waiting.resolve();
    });
  }

  /** Resolves once the terminal has been shown this. */
  until(what: RegExp): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = { what, resolve };
      if (what.test(this.#shown)) resolve();
    });
  }

  /** Presses Ctrl-C. @returns The exit code, and all that was shown, with escapes as `~`. */
  async interrupt(): Promise<{ exitCode: number | null; shown: string }> {
    this.#child.stdin?.write('\x03');
    return { exitCode: await this.#exit, shown: this.#shown.replaceAll('\x1b', '~') };
  }
}

describe('on a real terminal', { skip, timeout: 60_000 }, () => {
  const open = async (context: TestContext) => {
    const bench = await openBench(context);
    return { bench, fleetctl: (line: string) => new Pty(context, bench, line) };
  };

  it('a watched list has a screen of its own, shows what comes, and leaves the terminal as it was', async (context) => {
    const { bench, fleetctl } = await open(context);
    for (const index of [1, 2, 3, 4, 5, 6, 7]) bench.api.add(`web@${index}.service`, web, 'launched');
    const pty = fleetctl('list-units --watch=100ms --fields=unit,active');
    await pty.until(/and 3 more/);
    bench.api.add('web@8.service', web, 'launched');
    await pty.until(/and 4 more/);
    const { exitCode, shown } = await pty.interrupt();
    assert.equal(exitCode, 130);
    assert.ok(shown.startsWith('~[?1049h~[?25l~[?7l~[HUNIT'), shown);
    assert.match(shown, /web@4.service {3}~\[32mactive~\[39m~\[K\r+\n\.\.\. and 4 more~\[K~\[J/);
    assert.match(shown, /~\[\?7h~\[\?25h~\[\?1049lUNIT[\s\S]*and 4 more\r\n$/);
  });

  it('a wait shows how far it is in lines that do not wrap, and Ctrl-C says what goes on', async (context) => {
    const { bench, fleetctl } = await open(context);
    await bench.write('web@.service', web);
    for (const index of [1, 2, 3, 4, 5])
      bench.api.tempers.set(`web@${index}.service`, {
        reason: '3 machines: 3 lack role=cache, and are too small for it',
      });
    const pty = fleetctl("start 'web@{1..6}'");
    await pty.until(/1 of 6 launched; 5 wait: .*… \(\d+ s of 60 s\)/);
    const { exitCode, shown } = await pty.interrupt();
    assert.equal(exitCode, 130);
    assert.match(shown, /Unit web@6.service launched on /);
    const lines = shown.split('\n').flatMap((line) => line.split(/~\[J|\r/));
    // With the ^C that the terminal itself shows.
    for (const line of lines.filter((each) => each.includes(' s of 60 s'))) assert.ok(line.length <= columns, line);
    assert.match(shown, /\r~\[JInterrupted after \d+ s: 5 of 6 units are not launched yet\./);
  });

  it('colours are for terminals', async (context) => {
    const { fleetctl } = await open(context);
    const pty = fleetctl('list-unit');
    await pty.until(/unknown command/);
    assert.match((await pty.interrupt()).shown, /~\[31mError: unknown command/);
  });
});
