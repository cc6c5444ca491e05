// Writes a Debian package: the same bytes from the same input, whoever runs it and when.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const modes = { directory: 0o755, plain: 0o644, program: 0o755 };

/**
 * @param path Where to write it.
 * @param control Its fields, without `Installed-Size`.
 * @param files What it installs: `{ path, content, isProgram }`.
 * @param scripts Its maintainer scripts, text by name.
 * @param epochSeconds The time that everything in it bears.
 * @throws Error with what dpkg-deb said.
 */
export function writeDeb({ path, control, files, scripts, epochSeconds }) {
  const stage = mkdtempSync(join(tmpdir(), 'flotilla-deb-'));
  try {
    chmodSync(stage, modes.directory);
    const ofControl = controlFiles({ control, files, scripts }).map((file) => ({
      ...file,
      path: `/DEBIAN/${file.path}`,
    }));
    for (const file of [...files, ...ofControl]) place(stage, file);
    build(stage, path, epochSeconds);
  } finally {
    rmSync(stage, { recursive: true });
  }
}

function controlFiles({ control, files, scripts }) {
  const fields = { ...control, 'Installed-Size': installedKilobytes(files) };
  const sums = files.map(
    ({ path, content }) => `${createHash('md5').update(content).digest('hex')}  ${path.slice(1)}\n`,
  );
  return [
    {
      path: 'control',
      content: Object.entries(fields)
        .map(([name, value]) => `${name}: ${value}\n`)
        .join(''),
    },
    { path: 'md5sums', content: sums.sort().join('') },
    ...Object.entries(scripts).map(([name, text]) => ({ path: name, content: text, isProgram: true })),
  ];
}

/** As dpkg counts: each file and each directory in whole kilobytes. */
function installedKilobytes(files) {
  const directories = new Set();
  for (const { path } of files)
    for (let each = dirname(path); each !== '/'; each = dirname(each)) directories.add(each);
  const sizes = files.map(({ content }) => Math.ceil(Buffer.byteLength(content) / 1024));
  return sizes.reduce((sum, size) => sum + size, directories.size);
}

function place(stage, { path, content, isProgram = false }) {
  const target = join(stage, path);
  // Whatever the umask is: directories that mkdir makes get their mode here.
  for (let each = dirname(path); each !== '/'; each = dirname(each)) {
    mkdirSync(join(stage, each), { recursive: true });
    chmodSync(join(stage, each), modes.directory);
  }
  writeFileSync(target, content);
  chmodSync(target, isProgram ? modes.program : modes.plain);
}

function build(stage, path, epochSeconds) {
  const { status, error, stderr } = spawnSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', stage, path], {
    encoding: 'utf8',
    // Later times than this become this; more threads would cut what is compressed elsewhere.
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epochSeconds), DPKG_DEB_THREADS_MAX: '1' },
  });
  if (status !== 0) throw new Error(`dpkg-deb could not make ${path}: ${error?.message ?? stderr}`);
}
