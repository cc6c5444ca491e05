import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { TlsMaterial } from '@flotilla/client';
import { FleetError } from '@flotilla/errors';
import { messageOf, UsageError } from './errors.js';
import type { Environment, GlobalFlags } from './global-flags.js';

/** Where systems keep the authorities that they trust: Debian, Fedora, openSUSE, Alpine. Node has a list of its own. */
const systemAuthorities = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** A file in PEM, and the flag that names it. */
interface PemFile {
  readonly flag: string;
  readonly path: string;
  readonly text: string;
}

/**
 * What the files of the global flags say, checked: a server tells little of what it does not accept.
 *
 * @throws FleetError `unreadable-file`, `bad-certificate`, `usage`
 */
export async function readTlsMaterial(flags: GlobalFlags, environment: Environment): Promise<TlsMaterial> {
  const ca = await readAuthorities(flags, environment);
  const { certFile = '', keyFile = '' } = flags;
  if (certFile === '' && keyFile === '') return { ...(ca !== undefined && { ca }) };
  if (certFile === '') throw new UsageError('--key-file needs --cert-file: the certificate that the key belongs to');
  if (keyFile === '') throw new UsageError('--cert-file needs --key-file: the key of the certificate');
  const cert = await readPem('--cert-file', certFile);
  const key = await readPem('--key-file', keyFile);
  const [own] = certificatesIn(cert);
  if (own?.checkPrivateKey(keyIn(key)) !== true)
    throw new FleetError('bad-certificate', `the key in ${keyFile} does not belong to the certificate in ${certFile}`, {
      hint: '--cert-file and --key-file have to name a pair; the certificate of the client comes first in its file.',
    });
  return { ...(ca !== undefined && { ca }), cert: cert.text, key: key.text };
}

async function readAuthorities({ caFile = '' }: GlobalFlags, environment: Environment): Promise<string | undefined> {
  if (caFile !== '') {
    const file = await readPem('--ca-file', caFile);
    certificatesIn(file);
    return file.text;
  }
  for (const path of [environment.SSL_CERT_FILE ?? '', ...systemAuthorities]) {
    const text = path === '' ? undefined : await readFile(path, 'utf8').catch(() => undefined);
    if (text?.includes('-----BEGIN')) return text;
  }
  return undefined;
}

async function readPem(flag: string, path: string): Promise<PemFile> {
  try {
    return { flag, path, text: await readFile(path, 'utf8') };
  } catch (error) {
    const detail = messageOf(error)
      .replace(/^\w+: /, '')
      .replace(/,.*$/, '');
    throw new FleetError('unreadable-file', `cannot read ${path} (${flag}): ${detail}`, { cause: error });
  }
}

function certificatesIn({ flag, path, text }: PemFile): X509Certificate[] {
  const blocks = text.match(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----.*?-----END[^\n]*/gs) ?? [];
  try {
    if (blocks.length > 0) return blocks.map((block) => new X509Certificate(block));
  } catch (cause) {
    throw new FleetError('bad-certificate', `a certificate in ${path} (${flag}) can't be read: ${messageOf(cause)}`, {
      cause,
    });
  }
  throw new FleetError('bad-certificate', `there is no certificate in ${path} (${flag})`, {
    hint: `It has to be in PEM: openssl x509 -inform der -in ${path} makes that of DER.`,
  });
}

function keyIn({ flag, path, text }: PemFile): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (cause) {
    const isLocked = /ENCRYPTED/.test(text);
    throw new FleetError(
      'bad-certificate',
      isLocked ? `the key in ${path} (${flag}) needs a passphrase` : `there is no private key in ${path} (${flag})`,
      {
        hint: isLocked
          ? `fleetctl does not ask for one; openssl pkey -in ${path} makes a key that needs none.`
          : 'It has to be in PEM.',
        cause,
      },
    );
  }
}
