import { Option } from 'commander';
import { examples, type LocalCommand } from '../command.js';
import type { LocalContext } from '../context.js';
import { UsageError } from '../errors.js';
import { exitCodes } from '../exit-codes.js';
import type { GlobalFlags } from '../global-flags.js';
import { askSystemd } from '../systemd-checker.js';
import type { Complaint } from '../systemd-complaints.js';
import { LocalUnitFiles } from '../unit-content.js';
import { findUnitFiles } from '../unit-files-on-disk.js';
import { type CheckedFile, checkUnitFile, type Problem } from '../unit-problems.js';

export const verify: LocalCommand = {
  configure(command) {
    command
      .addOption(new Option('-o, --output <form>', 'print all of it as JSON').choices(['json']))
      .option('--allow-unknown', 'only warn of options in [X-Fleet] that are not known')
      .description(
        'Checks unit files on this machine, without a cluster: the name, the text, what [X-Fleet] asks for and, where systemd is ' +
          "installed, what systemd's own checker says. A folder stands for the unit files in it.\n" +
          'Errors are what the cluster or systemd would refuse. Warnings are for you to judge: an option that this systemd does not ' +
          'know and ignores; a program or a unit that is missing here, and may be there where the unit runs. Name units that belong ' +
          'together in one command. web@1.service is checked as an instance of web@.service, if there is only that.\n' +
          'Exit code: 0 no errors, 1 errors in at least one file.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl verify web.service          one file',
          'fleetctl verify units/               all unit files of a folder',
          'fleetctl verify web@1.service        what an instance of web@.service asks for',
          'fleetctl verify -o json units/       for programs',
        ),
      );
  },
  async runLocally(context, command) {
    if (command.args.length === 0) throw new UsageError('No unit files given');
    const { user, output, allowUnknown } = command.optsWithGlobals<
      GlobalFlags & { readonly output?: 'json'; readonly allowUnknown?: true }
    >();
    const { files, missed } = await addComplaints(await checkAll(command.args, allowUnknown === true), user === true);
    if (output === 'json') context.screen.write(`${JSON.stringify(toReport(files, missed), null, 2)}\n`);
    else print(context, files, missed);
    return files.every(isGood) ? exitCodes.done : exitCodes.failed;
  },
};

function isGood({ problems }: CheckedFile): boolean {
  return problems.every(({ severity }) => severity === 'warning');
}

async function checkAll(texts: readonly string[], allowUnknown: boolean): Promise<CheckedFile[]> {
  const known = new LocalUnitFiles();
  const checked = new Map<string, CheckedFile>();
  for (const text of texts) {
    const paths = await findUnitFiles(text);
    if (paths.length === 0) checked.set(text, { path: text, problems: [nothingThere(text)] });
    for (const path of paths)
      checked.set(path, checked.get(path) ?? (await checkUnitFile(path, known, { allowUnknown })));
  }
  return [...checked.values()];
}

function nothingThere(path: string): Problem {
  return { severity: 'error', checker: 'fleetctl', message: `${path}: there is no unit file` };
}

/** The files with what systemd says of them, and why it says nothing of some. */
async function addComplaints(
  files: readonly CheckedFile[],
  isUser: boolean,
): Promise<{ readonly files: readonly CheckedFile[]; readonly missed: string | undefined }> {
  const complete = new Map(files.map((file) => [file, file]));
  for (const group of withDistinctNames(files)) {
    const units = group.flatMap(({ unit }) => (unit ? [{ name: unit.name, text: unit.content.text }] : []));
    const answer = await askSystemd(units, { isUser });
    if (answer.kind === 'unanswered') return { files: [...complete.values()], missed: answer.why };
    for (const file of group) {
      const complaints = answer.complaints.get(file.unit?.name ?? '') ?? [];
      const source = file.unit?.content.source ?? file.path;
      const problems = complaints.map((complaint) => toProblem(source, complaint));
      complete.set(file, { ...file, problems: [...file.problems, ...problems] });
    }
  }
  return { files: [...complete.values()], missed: undefined };
}

/** systemd knows units by name, so that files of one name are looked at one after the other. */
function withDistinctNames(files: readonly CheckedFile[]): CheckedFile[][] {
  const groups: CheckedFile[][] = [];
  const seen = new Map<string, number>();
  for (const file of files) {
    if (file.unit === undefined) continue;
    const turn = seen.get(file.unit.name) ?? 0;
    seen.set(file.unit.name, turn + 1);
    groups[turn] = [...(groups[turn] ?? []), file];
  }
  return groups;
}

function toProblem(source: string, { isRefusal, line, text }: Complaint): Problem {
  return {
    severity: isRefusal ? 'error' : 'warning',
    checker: 'systemd',
    ...(line !== undefined && { line }),
    message: `${source}${line === undefined ? '' : `:${line}`}: systemd: ${text}`,
  };
}

function toReport(files: readonly CheckedFile[], missed: string | undefined): object {
  return {
    files: files.map((file) => ({
      path: file.path,
      ...(file.unit !== undefined && { unit: file.unit.name }),
      isGood: isGood(file),
      problems: file.problems,
    })),
    systemd: missed === undefined ? { isAsked: true } : { isAsked: false, why: missed },
  };
}

function print({ screen }: LocalContext, files: readonly CheckedFile[], missed: string | undefined): void {
  const { bad, waiting } = screen.palette;
  for (const { path, problems } of files) {
    const errors = problems.filter(({ severity }) => severity === 'error').length;
    screen.out(`${path}: ${verdict(errors, problems.length - errors)}`);
    for (const { severity, message } of problems)
      screen.err(severity === 'error' ? bad(`Error: ${message}`) : waiting(`Warning: ${message}`));
  }
  if (missed !== undefined) screen.err(`systemd's own checker did not look at these files: ${missed}`);
}

function verdict(errors: number, warnings: number): string {
  const count = (number: number, word: string) => `${number} ${word}${number === 1 ? '' : 's'}`;
  const words = [errors === 0 ? 'ok' : count(errors, 'error'), ...(warnings === 0 ? [] : [count(warnings, 'warning')])];
  return words.join(', ');
}
