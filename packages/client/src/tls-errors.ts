import { FleetError } from '@flotilla/errors';
import { errorCode } from './errors.js';

/** A connection with TLS that failed. */
export interface TlsFailure {
  readonly endpoint: string;
  readonly cause: unknown;
  /** The client has shown a certificate. */
  readonly hasCertificate: boolean;
}

interface Explanation {
  readonly why: string;
  readonly hint: string;
}

const nameAuthority =
  '--ca-file names a file with the certificate of the authority (without it, those of this system count).';

const byCode: Readonly<Record<string, Explanation>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: {
    why: 'its certificate is signed by itself, and is not known here',
    hint: 'If it is the right one, take a copy of it from that host, and name that by --ca-file.',
  },
  CERT_HAS_EXPIRED: {
    why: 'its certificate, or that of its authority, has expired',
    hint: "Renew it on that host; if it is good, this machine's clock is wrong.",
  },
  CERT_NOT_YET_VALID: {
    why: 'its certificate is not valid yet',
    hint: "This machine's clock may be wrong, or that of the machine that made the certificate.",
  },
};

const unknownAuthority: ReadonlySet<string> = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
]);

/** What failed about the certificates, and what to do; `undefined` if it was something else. */
export function findTlsError(failure: TlsFailure): FleetError | undefined {
  const explanation = findExplanation(failure);
  if (explanation === undefined) return undefined;
  const { endpoint, cause } = failure;
  const message = `no safe connection to fleetd at ${endpoint}: ${explanation.why}`;
  return new FleetError('bad-certificate', message, { hint: explanation.hint, cause });
}

function findExplanation({ cause, hasCertificate }: TlsFailure): Explanation | undefined {
  const code = errorCode(cause);
  if (unknownAuthority.has(code))
    return { why: 'its certificate is signed by an authority that is not known here', hint: nameAuthority };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return wrongName(cause);
  const words = wordsOf(cause, code);
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/.test(words))
    return { why: 'what listens there speaks no TLS', hint: 'Write http:// if it is to be so.' };
  if (/ALERT_(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE)/.test(words) && !hasCertificate)
    return wantsCertificate('it demands');
  if (/ALERT_(UNKNOWN_CA|BAD_CERT|CERTIFICATE|UNSUPPORTED_CERT|HANDSHAKE_FAILURE|DECRYPT_ERROR|ACCESS)/.test(words))
    return refusedCertificate('it does not accept');
  // Some servers say nothing: they cut the connection.
  if (code !== 'ECONNRESET') return byCode[code];
  return hasCertificate
    ? refusedCertificate('it has cut the connection, so it may not accept')
    : wantsCertificate('it has cut the connection, so it may demand');
}

/** Of an error while it writes, Node says EPROTO, and OpenSSL's words are in the message. */
function wordsOf(cause: unknown, code: string): string {
  return code === 'EPROTO' && cause instanceof Error ? cause.message.toUpperCase().replaceAll(' ', '_') : code;
}

function wantsCertificate(how: string): Explanation {
  return { why: `${how} a certificate of the client`, hint: '--cert-file and --key-file name one and its key.' };
}

function refusedCertificate(how: string): Explanation {
  return {
    why: `${how} the certificate of --cert-file`,
    hint: 'It has to be signed by an authority that the server trusts, for clients, and must not have expired.',
  };
}

function wrongName(cause: unknown): Explanation {
  const names = namesOf(cause);
  return {
    why: `its certificate is for ${names ?? 'another host'}`,
    hint: '--endpoint has to name the host as its certificate does; or give it one for this name.',
  };
}

/** The names that the certificate of an `ERR_TLS_CERT_ALTNAME_INVALID` has. */
function namesOf(cause: unknown): string | undefined {
  if (typeof cause !== 'object' || cause === null || !('cert' in cause)) return undefined;
  const { cert } = cause;
  if (typeof cert !== 'object' || cert === null || !('subjectaltname' in cert)) return undefined;
  return String(cert.subjectaltname).replace(/(DNS|IP Address):/g, '');
}
