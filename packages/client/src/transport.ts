import type { Agent, IncomingMessage, RequestOptions } from 'node:http';
import type { FleetError } from '@flotilla/errors';
import type { Answer } from './answer.js';
import { type Endpoint, parseEndpoint } from './endpoint.js';
import { connectionError, timeoutError } from './errors.js';

/** Requests that are under way at once, and connections that are kept for them. */
export const maxInFlight = 16;

/** What was asked and what came back, for a debug log. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

/** Where to connect, and how long to wait. */
export interface TransportOptions {
  /** URL as in {@link parseEndpoint}. */
  readonly endpoint: string;
  /** From sending a request to the end of its answer. */
  readonly timeoutMs: number;
  readonly onExchange?: (exchange: Exchange) => void;
  /** For an endpoint with TLS, whose certificate is verified always. @default Node's authorities, and no certificate */
  readonly tls?: TlsMaterial;
}

/** Certificates and a key in PEM. */
export interface TlsMaterial {
  /** The authorities that may have signed the server's certificate. */
  readonly ca?: string;
  /** What the client shows, and the key to it: both or none. */
  readonly cert?: string;
  readonly key?: string;
}

export interface Request {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** With the query, encoded. */
  readonly path: string;
  /** In JSON. */
  readonly body?: string;
  /** Carried out twice it does more than once: it goes over a connection of its own, where nothing is sent again. @default false */
  readonly isOnce?: boolean;
}

/** Sends requests to one endpoint over connections that are kept. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #endpoint: Endpoint;
  #agent: Agent | undefined;

  /** @throws FleetError `bad-endpoint` */
  constructor(options: TransportOptions) {
    this.#options = options;
    this.#endpoint = parseEndpoint(options.endpoint);
  }

  /**
   * The answer, whatever its status.
   *
   * @throws FleetError `connection-failed`
   * @throws FleetError `bad-certificate`
   * @throws FleetError `request-timeout`
   */
  async send(request: Request): Promise<Answer> {
    const { endpoint, timeoutMs, onExchange } = this.#options;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const answer = await this.#sendOnLiveConnection(request, signal);
      onExchange?.({ method: request.method, path: request.path, status: answer.status });
      return answer;
    } catch (cause) {
      if (signal.aborted) throw timeoutError(endpoint, timeoutMs, cause);
      throw await this.#explain(cause);
    }
  }

  /** Cuts the connections; the process can end then. */
  close(): void {
    this.#agent?.destroy();
    this.#agent = undefined;
  }

  async #explain(cause: unknown): Promise<FleetError> {
    const { endpoint, tls } = this.#options;
    if (this.#endpoint.kind !== 'tls') return connectionError(endpoint, cause);
    const { findTlsError } = await import('./tls-errors.js');
    return (
      findTlsError({ endpoint, cause, hasCertificate: tls?.cert !== undefined }) ?? connectionError(endpoint, cause)
    );
  }

  // A server may close an idle connection at the moment that it is used again; the request never arrived then.
  async #sendOnLiveConnection(request: Request, signal: AbortSignal): Promise<Answer> {
    for (;;) {
      const attempt = await this.#sendOnce(request, signal);
      if (attempt.kind === 'answer') return attempt;
      if (!attempt.wasReused) throw attempt.cause;
    }
  }

  // Loaded on use: commands that talk to nobody start faster without it.
  async #sendOnce(request: Request, signal: AbortSignal): Promise<Attempt> {
    const isTls = this.#endpoint.kind === 'tls';
    const http = isTls ? await import('node:https') : await import('node:http');
    const tls = isTls ? { ...this.#options.tls, rejectUnauthorized: true } : {};
    this.#agent ??= new http.Agent({ keepAlive: true, maxSockets: maxInFlight, ...tls });
    const { options, body } = httpRequest(this.#endpoint, request);
    return new Promise((resolve, reject) => {
      const sent = http.request(
        { ...options, ...tls, agent: request.isOnce !== true && this.#agent, signal },
        (response) => {
          readAll(response).then((text) => resolve({ kind: 'answer', status: response.statusCode ?? 0, text }), reject);
        },
      );
      sent.on('error', (cause: NodeJS.ErrnoException) => {
        const wasReused = sent.reusedSocket && (cause.code === 'ECONNRESET' || cause.code === 'EPIPE');
        resolve({ kind: 'failed', cause, wasReused });
      });
      sent.end(body);
    });
  }
}

type Attempt =
  | ({ readonly kind: 'answer' } & Answer)
  | { readonly kind: 'failed'; readonly cause: unknown; readonly wasReused: boolean };

function httpRequest(endpoint: Endpoint, { method, path, body }: Request): { options: RequestOptions; body?: string } {
  // With a server name, even an empty one, Node 20 does not check whether the host is an address: that takes 4 ms once.
  const where =
    endpoint.kind === 'socket'
      ? { socketPath: endpoint.path, servername: '', headers: { Host: 'localhost' } }
      : { host: endpoint.host, port: endpoint.port, headers: {} };
  if (body === undefined) return { options: { ...where, method, path } };
  const headers = {
    ...where.headers,
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
  };
  return { options: { ...where, method, path, headers }, body };
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
