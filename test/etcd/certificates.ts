import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why certificates can't be made here; `undefined` if they can. */
export function opensslMissing(): string | undefined {
  return spawnSync('openssl', ['version']).status === 0 ? undefined : 'there is no openssl in PATH';
}

/** An authority of its own, with certificates for a server on loopback and for a client. */
export class TestCertificates {
  readonly #directory = mkdtempSync(join(tmpdir(), 'flotilla-certificates-'));

  constructor() {
    this.#openssl('req', '-x509', '-subj', '/CN=test authority', ...newKey('ca'), '-out', 'ca.crt');
    writeFileSync(this.path('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1');
    for (const name of ['server', 'client']) this.issue(name);
  }

  /** Makes one more certificate, with a key of its own. */
  issue(
    name: string,
    { days = 30, subject = `/CN=${name}` }: { readonly days?: number; readonly subject?: string } = {},
  ): void {
    this.#openssl('req', '-subj', subject, ...newKey(name), '-out', `${name}.csr`);
    const authority = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names'];
    this.#openssl('x509', '-req', '-days', `${days}`, '-in', `${name}.csr`, ...authority, '-out', `${name}.crt`);
  }

  /** Where `ca.crt`, `server.crt`, `server.key`, `client.crt` and `client.key` are. */
  path(file: string): string {
    return join(this.#directory, file);
  }

  read(file: string): Buffer {
    return readFileSync(this.path(file));
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #openssl(...parameters: string[]): void {
    execFileSync('openssl', parameters, { cwd: this.#directory, stdio: 'pipe' });
  }
}

function newKey(name: string): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`];
}
