// Loaded into test processes: ends them, when all is done, without Node's own clearing up of what is still open. With an
// HTTP/2 connection that the other side has closed (as those to etcd), Node 20 now and then goes round in there for ever.
process.once('beforeExit', () => process.once('exit', () => process.exit()));
