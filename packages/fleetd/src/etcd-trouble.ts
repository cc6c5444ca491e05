import type { StoreTrouble, StoreTroubleKind } from '@flotilla/registry-etcd';
import type { LogFields } from '@flotilla/runtime';
import type { Config } from './config.js';

interface Line {
  readonly message: string;
  readonly fields: LogFields;
}

interface Advice {
  readonly message: string;
  readonly hint: string;
  /** What the reader has to look at: a user, a file. */
  readonly about?: LogFields;
}

/**
 * The line that tells why etcd can't be used, and what to do about it.
 *
 * @param isOwnExpired Whether the time of the client certificate is over.
 */
export function describeTrouble(trouble: StoreTrouble, etcd: Config['etcd'], isOwnExpired: boolean): Line {
  const advice =
    trouble.kind === 'certificate-refused'
      ? certificateAdvice(etcd, isOwnExpired)
      : advise(trouble, etcd)[trouble.kind];
  const { message, hint, about } = advice;
  return { message, fields: { endpoint: trouble.host, ...about, why: trouble.why, hint } };
}

function certificateAdvice({ certFile }: Config['etcd'], isOwnExpired: boolean): Advice {
  if (certFile === '')
    return {
      message: 'etcd wants a client certificate, and none is configured',
      hint: 'set etcd_certfile and etcd_keyfile',
    };
  const about = { etcd_certfile: certFile };
  if (isOwnExpired)
    return { message: 'the client certificate for etcd has expired', about, hint: 'renew it; no restart is needed' };
  return {
    message: 'etcd does not accept the client certificate',
    about,
    hint: "it has to be of an authority that etcd trusts (its --trusted-ca-file), and valid by etcd's clock",
  };
}

function advise(
  { operation, host }: StoreTrouble,
  { username, caFile, keyPrefix }: Config['etcd'],
): Record<Exclude<StoreTroubleKind, 'certificate-refused'>, Advice> {
  const user = username === '' ? {} : { etcd_username: username };
  const authority = caFile === '' ? {} : { etcd_cafile: caFile };
  return {
    unreachable: { message: 'etcd can not be reached', hint: 'see that it runs there, and that etcd_servers is right' },
    stranger: {
      message: 'what listens where an etcd is looked for belongs to another user, and is not used',
      hint: `see what it is; etcd_servers = ${host} has it used all the same`,
    },
    'no-answer': { message: 'etcd does not answer in time', hint: 'see how it does, and the network on the way' },
    'no-leader': {
      message: 'etcd has no leader',
      hint: 'more than half of its members have to run and to be connected',
    },
    'untrusted-server': {
      message: "etcd's certificate is of no authority that is trusted here",
      about: authority,
      hint: 'let etcd_cafile name the certificate of the authority that signed it',
    },
    'expired-server': {
      message: "etcd's certificate has expired, or is not valid yet",
      hint: "renew it, and see that this host's clock is right",
    },
    'misnamed-server': {
      message: "etcd's certificate is for another name",
      hint: 'etcd_servers has to use a name that is in it',
    },
    'plain-server': {
      message: 'etcd does not speak TLS there',
      hint: 'write http:// instead of https:// in etcd_servers, or give etcd a certificate',
    },
    'hung-up': {
      message: 'etcd hangs up at once; it seems to want TLS',
      hint: 'write https:// instead of http:// in etcd_servers',
    },
    'password-refused': {
      message: 'etcd does not know this user with this password',
      about: user,
      hint: 'see etcd_username and etcd_password',
    },
    'user-expected': {
      message: 'etcd wants a user, and none is configured',
      hint: 'set etcd_username and etcd_password, or use a client certificate whose common name is a user of etcd',
    },
    'users-unknown': {
      message: 'etcd asks for no user, but one is configured',
      about: user,
      hint: 'remove etcd_username, or enable authentication in etcd',
    },
    'no-permission': {
      message: `etcd does not let its user ${operation} what is fleetd's`,
      about: { ...user, etcd_key_prefix: keyPrefix },
      hint: `etcdctl role grant-permission --prefix=true ROLE readwrite ${keyPrefix}`,
    },
  };
}
