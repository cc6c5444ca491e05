import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { EtcdTls } from '@flotilla/registry-etcd';
import type { Config } from './config.js';
import { ConfigError } from './errors.js';
import { readShortFile } from './read-short-file.js';

const certificatePattern = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * The files that `etcd_cafile`, `etcd_certfile` and `etcd_keyfile` name, if they are whole and fit together.
 *
 * @throws ConfigError naming option and file: one can't be read, is cut short, or is not the other's.
 */
export async function readEtcdTls({ caFile, certFile, keyFile }: Config['etcd']): Promise<EtcdTls> {
  const ca = await readPem('etcd_cafile', caFile);
  const cert = await readPem('etcd_certfile', certFile);
  const key = await readPem('etcd_keyfile', keyFile);
  if (ca !== undefined) parseCertificates('etcd_cafile', caFile, ca);
  if (cert !== undefined && key !== undefined) {
    const [own] = parseCertificates('etcd_certfile', certFile, cert);
    if (own?.checkPrivateKey(parseKey(keyFile, key)) !== true)
      throw new ConfigError(`etcd_keyfile: ${keyFile} is not the key of the certificate in ${certFile}`);
  }
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

/** When a certificate file's own certificate ends, in epoch milliseconds; `undefined` if that can't be told. */
export async function findCertificateEnd(certFile: string): Promise<number | undefined> {
  try {
    return Date.parse(new X509Certificate(await readShortFile(certFile)).validTo);
  } catch {
    // Missing or half-written at this moment.
    return undefined;
  }
}

async function readPem(option: string, path: string): Promise<Buffer | undefined> {
  if (path === '') return undefined;
  try {
    return await readShortFile(path);
  } catch (error) {
    throw new ConfigError(`${option}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function parseCertificates(option: string, path: string, pem: Buffer): X509Certificate[] {
  const text = pem.toString('latin1');
  const blocks = text.match(certificatePattern) ?? [];
  if (blocks.length === 0 || blocks.length < text.split('-----BEGIN ').length - 1)
    throw new ConfigError(`${option}: ${path} holds no certificate, or one that is cut short`);
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw new ConfigError(`${option}: ${path} holds no certificate that can be read: ${String(error)}`);
  }
}

function parseKey(path: string, pem: Buffer) {
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's reason says nothing that a reader could use, and might quote the key.
    throw new ConfigError(`etcd_keyfile: ${path} holds no private key without a passphrase, or one that is cut short`);
  }
}
