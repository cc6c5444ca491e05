import { FleetError } from '@flotilla/errors';

/** An answer of the API with a status of 400 or more; `message` is the API's own. */
export class ApiError extends FleetError {
  readonly status: number;

  constructor(status: number, message: string) {
    const told = message === '' ? textFor(status) : message;
    const hint = hintFor(status, message);
    super('api-error', told, hint === undefined ? {} : { hint });
    this.status = status;
  }
}

/** What is there but not as asked for has a reason: without one, the path itself is not known. */
function textFor(status: number): string {
  if (status === 404) return 'that fleetd does not know this request: it is older than this fleetctl, or fleet’s own';
  return `the API answered ${status} and gave no reason`;
}

function hintFor(status: number, message: string): string | undefined {
  if (message === '' && status === 404) return 'fleetctl list-machines -o wide shows the version that each host runs.';
  if (message === '') return "The reason is in the log of that host's fleetd.";
  if (status !== 503) return undefined;
  return "Units run on meanwhile. The log of that host's fleetd (journalctl -u fleet) says what is wrong.";
}

/** Whether the same request may well succeed in a moment: no answer came, or the daemon is busy or without etcd. */
export function isTransient(error: unknown): boolean {
  if (error instanceof ApiError) return error.status >= 500;
  return error instanceof FleetError && (error.code === 'connection-failed' || error.code === 'request-timeout');
}

const causes: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was cut',
  ENOENT: 'no such file',
  ENOTFOUND: 'unknown host',
  EAI_AGAIN: 'the name server does not answer',
  EHOSTUNREACH: 'no route to the host',
  ETIMEDOUT: 'the host does not answer',
};

/** The error for a request that got no answer: the endpoint, the cause, and what to do next. */
export function connectionError(endpoint: string, cause: unknown): FleetError {
  const code = errorCode(cause);
  const detail = causes[code] ?? (cause instanceof Error ? cause.message : String(cause));
  return new FleetError('connection-failed', `cannot reach fleetd at ${endpoint}: ${detail}`, {
    hint: connectionHint(code),
    cause,
  });
}

/** The error for a request whose answer did not come in time. */
export function timeoutError(endpoint: string, timeoutMs: number, cause: unknown): FleetError {
  return new FleetError('request-timeout', `no answer from fleetd at ${endpoint} within ${timeoutMs / 1000} s`, {
    hint: 'fleetd may still be starting, or be overloaded, or its etcd; --request-timeout allows more time.',
    cause,
  });
}

function connectionHint(code: string): string {
  if (code.startsWith('HPE_')) return 'What listens there speaks no HTTP; if it speaks TLS, write https://.';
  if (code === 'EACCES')
    return 'Run as root or as a member of the group that owns the socket: usermod --append --groups fleet NAME, then log in anew.';
  return 'Is fleetd running there (systemctl status fleet)? --endpoint or FLEETCTL_ENDPOINT names another one.';
}

/** Node's word for what went wrong. */
export function errorCode(cause: unknown): string {
  return typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
}
