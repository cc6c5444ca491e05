// Makes dist/fleetd and dist/fleetctl: one file each, for any host that has Node 20 and nothing else.
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { root } from './paths.mjs';

const programs = ['fleetd', 'fleetctl'];

/** etcd3 reads its .proto files beside itself at run time; a single file has to carry them. */
const embedProto = {
  name: 'embed-proto',
  setup(bundle) {
    bundle.onLoad({ filter: /etcd3[\\/]lib[\\/]connection-pool\.js$/ }, async ({ path }) => {
      const source = readFileSync(path, 'utf8');
      const call = /\(0, proto_loader_1\.loadSync\)\(`\$\{__dirname\}\/\.\.\/proto\/rpc\.proto`,/;
      if (!call.test(source))
        throw new Error(`${path} no longer loads rpc.proto as expected: the bundle would lack it`);
      const json = readProto(path, join(dirname(path), '../proto/rpc.proto'));
      return { contents: source.replace(call, () => `(0, proto_loader_1.fromJSON)(${json},`) };
    });
  },
};

/** dbus-native loads an XML parser to ask objects about themselves, which nothing here does: 7 MB of memory. */
const leaveOutXml = {
  name: 'leave-out-xml',
  setup(bundle) {
    bundle.onResolve({ filter: /^xml2js$/ }, () => ({ path: 'xml2js', namespace: 'left-out' }));
    bundle.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/** @returns The definitions of a .proto file and all that it imports, as JSON. */
function readProto(importer, protoPath) {
  const fromEtcd3 = createRequire(importer);
  const protobuf = createRequire(fromEtcd3.resolve('@grpc/proto-loader'))('protobufjs');
  const definitions = new protobuf.Root();
  const resolveOwn = definitions.resolvePath;
  // etcd's files name each other without a directory, proto-loader's `includeDirs` the same.
  definitions.resolvePath = (origin, target) =>
    target.startsWith('google/') ? resolveOwn(origin, target) : join(dirname(protoPath), target.split('/').pop());
  definitions.loadSync(protoPath, { keepCase: true });
  definitions.resolveAll();
  return JSON.stringify(definitions.toJSON());
}

async function bundleProgram(name) {
  const outfile = join(root, 'dist', `.${name}.new`);
  const { metafile } = await build({
    entryPoints: [join(root, 'packages', name, 'dist/main.js')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // Node keeps the whole text in memory. Names stay, as traces of errors show them.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    legalComments: 'eof',
    logLevel: 'warning',
    metafile: true,
    // Modules that ask where they are (yargs) ask for an ES module's URL, which CommonJS does not have.
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: '#!/usr/bin/env node\nconst bundleUrl = require("node:url").pathToFileURL(__filename).href;' },
    plugins: [embedProto, leaveOutXml],
  });
  const text = readFileSync(outfile, 'utf8');
  // etcd3 may have moved the file that the plug-in looks for; then the path of the .proto is still in there.
  if (text.includes('/proto/rpc.proto')) throw new Error(`${name} would look for rpc.proto`);
  // One letter beyond Latin-1, and Node keeps each letter in two bytes.
  const wide = /[^\0-\xff]/.exec(text);
  if (wide !== null)
    throw new Error(`${name} has a letter beyond Latin-1: ${text.slice(wide.index - 40, wide.index + 40)}`);
  chmodSync(outfile, 0o755);
  return { outfile, libraries: librariesIn(metafile) };
}

/** Directories of the npm packages that are in a program, relative to the repository, sorted. */
function librariesIn({ outputs }) {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const used = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
  const directories = used.map((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
  return [...new Set(directories.filter((each) => each !== undefined))].sort();
}

mkdirSync(join(root, 'dist'), { recursive: true });
// Without it, Node would take the files for ES modules as long as they lie below the repository's package.json.
writeFileSync(join(root, 'dist/package.json'), '{ "type": "commonjs" }\n');
try {
  const made = new Map();
  for (const name of programs) made.set(name, await bundleProgram(name));
  const libraries = Object.fromEntries([...made].map(([name, program]) => [name, program.libraries]));
  // A package of them has to carry their licenses.
  writeFileSync(join(root, 'dist/libraries.json'), `${JSON.stringify(libraries, undefined, 2)}\n`);
  // Somebody may be using the old ones.
  for (const [name, { outfile }] of made) renameSync(outfile, join(root, 'dist', name));
} catch (error) {
  // An old program must not pass for what was to be built now.
  for (const name of programs) rmSync(join(root, 'dist', name), { force: true });
  console.error(`dist/ is not complete: ${error.message}`);
  process.exit(1);
}
