import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { after, before, describe, it, type TestContext } from 'node:test';
import { opensslMissing, TestCertificates } from './etcd/certificates.js';
import { fleetctl, serveFromMemory } from './memory-fleetd.js';

/** A proxy with TLS in front of an API, as an operator would set one up. */
async function serveWithTls(context: TestContext, options: ServerOptions, host = '127.0.0.1'): Promise<string> {
  const { socket } = await serveFromMemory(context);
  const proxy = createServer(options, (incoming, outgoing) => forward(socket, incoming, outgoing));
  await new Promise<void>((resolve) => proxy.listen(0, host, resolve));
  context.after(async () => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return portOf(proxy.address());
}

function portOf(address: AddressInfo | string | null): string {
  assert.ok(typeof address === 'object' && address !== null);
  return String(address.port);
}

function forward(socketPath: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, url, headers } = incoming;
  const onward = request({ socketPath, method, path: url, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 0, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on('error', () => outgoing.destroy());
  incoming.pipe(onward);
}

describe('fleetctl over https', { skip: opensslMissing() ?? false }, () => {
  let certificates: TestCertificates;
  let foreign: TestCertificates;
  before(() => {
    certificates = new TestCertificates();
    foreign = new TestCertificates();
    certificates.issue('expired', { days: 0 });
  });
  after(() => {
    certificates.remove();
    foreign.remove();
  });

  const server = (name = 'server'): ServerOptions => ({
    cert: certificates.read(`${name}.crt`),
    key: certificates.read(`${name}.key`),
  });
  const withClients = (): ServerOptions => ({ ...server(), ca: certificates.read('ca.crt'), requestCert: true });
  const listUnits = (port: string, ...flags: readonly string[]) =>
    fleetctl(['list-units', `--endpoint=https://127.0.0.1:${port}`, ...flags]);
  const ca = () => `--ca-file=${certificates.path('ca.crt')}`;
  const pair = (certificate: string, key = certificate) => [`--cert-file=${certificate}.crt`, `--key-file=${key}.key`];

  it('asks a server whose authority --ca-file names', async (context) => {
    const port = await serveWithTls(context, server());
    const expected = { stdout: 'UNIT\tMACHINE\tACTIVE\tSUB\n', stderr: '', exitCode: 0 };
    assert.deepEqual(await listUnits(port, ca()), expected);
    assert.deepEqual(await listUnits(port, `--etcd-cafile=${certificates.path('ca.crt')}`), expected);
    const environment = {
      FLEETCTL_CA_FILE: certificates.path('ca.crt'),
      FLEETCTL_ENDPOINT: `https://localhost:${port}`,
    };
    assert.deepEqual(await fleetctl(['list-units'], environment), expected);
    const trusted = { FLEETCTL_ENDPOINT: `https://127.0.0.1:${port}`, SSL_CERT_FILE: certificates.path('ca.crt') };
    assert.deepEqual(await fleetctl(['list-units'], trusted), expected);
  });

  it('puts units, and reads them', async (context) => {
    const port = await serveWithTls(context, server());
    const file = `/tmp/flotilla-https-${process.pid}.service`;
    await writeFile(file, '[Service]\nExecStart=/bin/true\n');
    context.after(() => rm(file));
    const flags = [`--endpoint=https://127.0.0.1:${port}`, ca()];
    assert.equal((await fleetctl(['submit', ...flags, file])).exitCode, 0);
    const { stdout } = await fleetctl(['cat', ...flags, file]);
    assert.equal(stdout, '[Service]\nExecStart=/bin/true\n');
  });

  it('shows a certificate where one is demanded', async (context) => {
    const port = await serveWithTls(context, withClients());
    const client = pair(certificates.path('client'));
    assert.equal((await listUnits(port, ca(), ...client)).exitCode, 0);
  });

  const expectError = async (answer: Promise<{ stdout: string; stderr: string; exitCode: number }>, text: RegExp) => {
    const { stdout, stderr, exitCode } = await answer;
    assert.match(stderr, text);
    assert.deepEqual([stdout, exitCode], ['', 1]);
  };

  it('trusts no authority that it does not know, whatever Node is told', async (context) => {
    const port = await serveWithTls(context, server());
    const told = /no safe connection to fleetd at https:.*authority that is not known here\n--ca-file names/;
    await expectError(listUnits(port), told);
    await expectError(listUnits(port, `--ca-file=${foreign.path('ca.crt')}`), told);
  });

  it('trusts no certificate for another host, none that has expired, and none that is signed by itself', async (context) => {
    const elsewhere = await serveWithTls(context, server(), '127.0.0.2');
    const other = fleetctl(['list-units', `--endpoint=https://127.0.0.2:${elsewhere}`, ca()]);
    await expectError(other, /its certificate is for localhost, 127\.0\.0\.1\n--endpoint has to name the host/);
    const expired = await serveWithTls(context, server('expired'));
    await expectError(listUnits(expired, ca()), /has expired\nRenew it/);
    const own = await serveWithTls(context, { cert: certificates.read('ca.crt'), key: certificates.read('ca.key') });
    await expectError(listUnits(own), /signed by itself, and is not known here\n.*--ca-file/);
  });

  it('says that the server wants another certificate, or any', async (context) => {
    const port = await serveWithTls(context, withClients());
    await expectError(listUnits(port, ca()), /demands a certificate of the client\n--cert-file and --key-file/);
    const stranger = pair(foreign.path('client'));
    await expectError(listUnits(port, ca(), ...stranger), /not accept the certificate of --cert-file\n/);
  });

  it('says what a server may mean that cuts the connection without a word', async (context) => {
    const silent = createServer(server()).on('secureConnection', (socket) => socket.destroy());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    context.after(() => void silent.close());
    const port = portOf(silent.address());
    await expectError(listUnits(port, ca()), /has cut the connection, so it may demand a certificate of the client\n/);
    const client = pair(certificates.path('client'));
    await expectError(listUnits(port, ca(), ...client), /so it may not accept the certificate of --cert-file\n/);
  });

  it('says that there is no TLS, or no HTTP without it', async (context) => {
    const plain = createTcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    context.after(() => void plain.close());
    await expectError(listUnits(portOf(plain.address()), ca()), /speaks no TLS\nWrite http:\/\//);
    const port = await serveWithTls(context, server());
    const { stderr } = await fleetctl(['list-units', `--endpoint=http://127.0.0.1:${port}`, ca()]);
    assert.match(stderr, /^WARNING: http:.* is not encrypted: --ca-file/);
  });

  it('says which file is wrong, and how', async () => {
    const path = (file: string) => certificates.path(file);
    await writeFile(
      path('locked.key'),
      '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n',
    );
    const bad = async (text: RegExp, ...flags: readonly string[]) => expectError(listUnits('1', ...flags), text);
    const client = path('client');
    await bad(
      /^Error: Unable to initialize client: cannot read \/no\/ca \(--ca-file\): no such file/,
      '--ca-file=/no/ca',
    );
    await bad(
      /there is no certificate in \S+client\.key \(--ca-file\)\nIt has to be in PEM/,
      `--ca-file=${client}.key`,
    );
    await bad(/cannot read \S+none\.crt \(--cert-file\)/, ...pair(path('none'), client));
    await bad(
      /there is no private key in \S+client\.crt \(--key-file\)/,
      `--cert-file=${client}.crt`,
      `--key-file=${client}.crt`,
    );
    await bad(
      /the key in \S+server\.key does not belong to the certificate in \S+client\.crt/,
      ...pair(client, path('server')),
    );
    await bad(/locked\.key \(--key-file\) needs a passphrase\n.*openssl pkey/, ...pair(client, path('locked')));
    const half = await listUnits('1', `--cert-file=${client}.crt`);
    assert.match(half.stderr, /--cert-file needs --key-file/);
    assert.equal(half.exitCode, 64);
  });

  it('looks at no file for commands that need none', async () => {
    const { stdout, exitCode } = await fleetctl(['version', '--endpoint=https://a', '--ca-file=/no/ca']);
    assert.match(stdout, /^fleetctl version /);
    assert.equal(exitCode, 0);
  });
});
