// Imported first by every entry: an old Node gets a sentence, not a syntax error.
const oldestMajor = 20;

if (Number(process.versions.node.split('.')[0]) < oldestMajor) {
  console.error(`Node ${oldestMajor} or later is needed; this is ${process.version}`);
  process.exit(1);
}
